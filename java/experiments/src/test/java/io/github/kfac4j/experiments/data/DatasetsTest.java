package io.github.kfac4j.experiments.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.experiments.BadInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DatasetsTest {
  private static final Path NOWHERE = Path.of("/nonexistent");

  @TempDir Path directory;

  @Test
  void theBundledSubsetIsBalancedRealData() {
    Dataset data = Datasets.load(DatasetName.FASHION_MNIST, Optional.empty(), NOWHERE);
    assertThat(data.describe())
        .isEqualTo(
            "fashion-mnist: bundled subset of real images; 7,000 training and 2,000 validation"
                + " images (validation on the test file)");
    assertThat(perClass(images(data.train()))).containsOnly(700);
    assertThat(perClass(images(data.validation()))).containsOnly(200);
    // the first training image of the published files: an ankle boot whose pixels sum to 76247
    assertThat(images(data.train()).labels()[0]).isEqualTo((byte) 9);
    int sum = 0;
    for (int i = 0; i < 784; i++) {
      sum += images(data.train()).pixels()[i] & 0xff;
    }
    assertThat(sum).isEqualTo(76247);
  }

  private static Images images(Examples part) {
    return (Images) part;
  }

  private static int[] perClass(Images images) {
    int[] counts = new int[Images.CLASSES];
    for (byte label : images.labels()) {
      counts[label]++;
    }
    return counts;
  }

  @Test
  void readsIdxFilesPlainOrGzipped() throws IOException {
    writeIdx(3, 2, 2, 3);
    Images train = images(load(DatasetName.MNIST).train());
    assertThat(train).usingRecursiveComparison().isEqualTo(new Images(ramp(18), ramp(3), 1, 2, 3));

    gzip("train-images-idx3-ubyte");
    gzip("t10k-labels-idx1-ubyte");
    Dataset again = load(DatasetName.MNIST);
    assertThat(again.train()).usingRecursiveComparison().isEqualTo(train);
    assertThat(again.validation().count()).isEqualTo(2);
    assertThat(again.source()).isEqualTo(directory.toString());
  }

  @Test
  void prefersTheSystemPackageToTheBundledSubset() throws IOException {
    Path system = Files.createDirectory(directory.resolve("fashion-mnist"));
    writeIdx(3, 2, 2, 3);
    try (var files = Files.list(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.move(file, system.resolve(file.getFileName()));
      }
    }
    Dataset data = Datasets.load(DatasetName.FASHION_MNIST, Optional.empty(), directory);
    assertThat(data.source()).isEqualTo(system + " (system package)");
    assertThat(data.train().count()).isEqualTo(3);
  }

  @Test
  void holdsImagesOutOfCompleteTrainingFiles() throws IOException {
    writeIdx(60_000, 1, 1, 1);
    Dataset data = load(DatasetName.MNIST);
    assertThat(data.train().count()).isEqualTo(55_000);
    assertThat(data.validation().count()).isEqualTo(5_000);
    assertThat(images(data.validation()).pixels()[0]).isEqualTo((byte) 55_000);
    assertThat(data.split()).isEqualTo("the last 5,000 training images held out");
    assertThat(data.test().count()).isEqualTo(1);
  }

  /** A compressed file that SciPy wrote: X[r, c, k, n] = r + 2 c + 50 k + 7 n, y = 1, 10, 9. */
  @Test
  void readsTheMatFilesOfSvhn() throws IOException {
    byte[] file;
    try (var in = DatasetsTest.class.getResourceAsStream("svhn.mat")) {
      file = in.readAllBytes();
    }
    Path train = directory.resolve("train_32x32.mat");
    Files.write(train, file);
    Files.write(directory.resolve("test_32x32.mat"), file);
    Images images = images(load(DatasetName.SVHN).train());
    assertThat(images.labels()).containsExactly(1, 0, 9);
    assertThat(images.channels()).isEqualTo(3);
    for (int i = 0; i < images.pixels().length; i++) {
      int column = i % 32;
      int row = i / 32 % 32;
      int channel = i / 1024 % 3;
      int value = row + 2 * column + 50 * channel + 7 * (i / 3072);
      assertThat(images.pixels()[i]).as("pixel %d", i).isEqualTo((byte) value);
    }
    Files.write(train, Arrays.copyOf(file, file.length - 40));
    assertRefused(DatasetName.SVHN, train + " is damaged: ", "");
    Files.write(train, "MATLAB".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    assertRefused(DatasetName.SVHN, train + " is damaged: ", "");
    Files.delete(train);
    assertRefused(DatasetName.SVHN, directory.toString(), "has no file train_32x32.mat");
  }

  @Test
  void readsCifarRecords() throws IOException {
    for (int i = 1; i <= 5; i++) {
      Files.write(directory.resolve("data_batch_%d.bin".formatted(i)), cifarRecord(i));
    }
    Files.write(directory.resolve("test_batch.bin"), cifarRecord(9));
    Dataset data = load(DatasetName.CIFAR10);
    assertThat(images(data.train()).labels()).containsExactly(1, 2, 3, 4, 5);
    assertThat(images(data.train()).pixels()).hasSize(5 * 3072);
    assertThat(images(data.train()).pixels()[3072]).isEqualTo((byte) 2);
    assertThat(images(data.train()).channels()).isEqualTo(3);
    assertThat(images(data.validation()).labels()).containsExactly(9);
  }

  private static byte[] cifarRecord(int value) {
    byte[] record = new byte[3073];
    Arrays.fill(record, (byte) value);
    return record;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "train-images-idx3-ubyte | 0 | 7 | it starts with 0x00000807, not with 0x00000803",
        "train-images-idx3-ubyte | 1 | 1000 | but 18 bytes",
        "train-images-idx3-ubyte | 2 | -1 | impossible extent -1",
        "train-images-idx3-ubyte | 3 | 2147483647 | but 18 bytes",
        "train-labels-idx1-ubyte | 1 | 4 | shape [4], but 3 bytes",
        "t10k-labels-idx1-ubyte  | 0 | 0 | it starts with",
      })
  void refusesADamagedIdxFile(String name, int word, int value, String reason) throws IOException {
    writeIdx(3, 2, 2, 3);
    Path file = directory.resolve(name);
    byte[] bytes = Files.readAllBytes(file);
    int old = ByteBuffer.wrap(bytes).getInt(4 * word);
    Files.write(
        file,
        ByteBuffer.wrap(bytes)
            .putInt(4 * word, word == 0 ? old & ~0xf | value & 0xf : value)
            .array());
    assertRefused(DatasetName.MNIST, file + " is damaged: ", reason);
  }

  @Test
  void refusesTruncatedFilesWrongLabelsAndOddSizes() throws IOException {
    writeIdx(3, 2, 2, 3);
    Path labels = directory.resolve("train-labels-idx1-ubyte");
    byte[] good = Files.readAllBytes(labels);
    Files.write(labels, Arrays.copyOf(good, 6));
    assertRefused(DatasetName.MNIST, labels.toString(), "only 6 bytes");
    byte[] bad = good.clone();
    bad[8] = 10;
    Files.write(labels, bad);
    assertRefused(DatasetName.MNIST, labels.toString(), "label 10 at position 0");
    Files.write(labels, idx(0x801, new int[] {2}));
    assertRefused(DatasetName.MNIST, labels.toString(), "2 labels for the 3 images of");
    Files.write(labels, good);

    Path images = directory.resolve("train-images-idx3-ubyte");
    gzip(images.getFileName().toString());
    Path packed = directory.resolve("train-images-idx3-ubyte.gz");
    byte[] whole = Files.readAllBytes(packed);
    Files.write(packed, Arrays.copyOf(whole, whole.length - 9));
    assertRefused(DatasetName.MNIST, packed.toString(), "Unexpected end");

    Files.write(packed, idx(0x803, new int[] {3, 1, 1}));
    assertRefused(DatasetName.MNIST, "mnist", "differ in size");
  }

  @Test
  void refusesASmallFileThatUnpacksWithoutEnd() throws IOException {
    writeIdx(3, 2, 2, 3);
    Path images = directory.resolve("train-images-idx3-ubyte");
    Files.delete(images);
    Path packed = directory.resolve("train-images-idx3-ubyte.gz");
    byte[] zeros = new byte[1 << 20];
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      for (int i = 0; i < 65; i++) {
        out.write(zeros);
      }
    }
    assertRefused(DatasetName.MNIST, packed + " is damaged: ", "more than 67,108,864 bytes");
  }

  @Test
  void refusesCifarFilesThatAreNotRecords() throws IOException {
    for (int i = 1; i <= 5; i++) {
      Files.write(directory.resolve("data_batch_%d.bin".formatted(i)), cifarRecord(i));
    }
    Path test = directory.resolve("test_batch.bin");
    Files.write(test, new byte[3072]);
    assertRefused(DatasetName.CIFAR10, test + " is damaged: ", "not a multiple of 3073");
    Files.write(test, cifarRecord(10));
    assertRefused(DatasetName.CIFAR10, test + " is damaged: ", "label 10 at position 0");
  }

  @Test
  void saysWhatIsMissing() {
    assertRefused(
        DatasetName.MNIST, directory.toString(), "has no file train-images-idx3-ubyte[.gz]");
    assertThatThrownBy(() -> Datasets.load(DatasetName.MNIST, Optional.of(NOWHERE)))
        .isInstanceOf(BadInputException.class)
        .hasMessage("--data-dir /nonexistent is not a directory");
    assertThatThrownBy(() -> Datasets.load(DatasetName.CIFAR10, Optional.empty(), NOWHERE))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("cifar10 is not bundled");
  }

  private void assertRefused(DatasetName name, String prefix, String reason) {
    assertThatThrownBy(() -> load(name))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith(prefix)
        .hasMessageContaining(reason);
  }

  private Dataset load(DatasetName name) {
    return Datasets.load(name, Optional.of(directory));
  }

  private void writeIdx(int train, int test, int height, int width) throws IOException {
    Files.write(directory.resolve("train-images-idx3-ubyte"), idx(0x803, train, height, width));
    Files.write(directory.resolve("train-labels-idx1-ubyte"), idx(0x801, train));
    Files.write(directory.resolve("t10k-images-idx3-ubyte"), idx(0x803, test, height, width));
    Files.write(directory.resolve("t10k-labels-idx1-ubyte"), idx(0x801, test));
  }

  /** A file whose values are 0, 1, 2, ..., labels modulo 10. */
  private static byte[] idx(int magic, int... shape) {
    int size = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    ByteBuffer file = ByteBuffer.allocate(4 + 4 * shape.length + size).putInt(magic);
    Arrays.stream(shape).forEach(file::putInt);
    for (int i = 0; i < size; i++) {
      file.put((byte) (shape.length == 1 ? i % 10 : i));
    }
    return file.array();
  }

  private static byte[] ramp(int size) {
    byte[] values = new byte[size];
    for (int i = 0; i < size; i++) {
      values[i] = (byte) i;
    }
    return values;
  }

  private void gzip(String name) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(packed)) {
      out.write(Files.readAllBytes(directory.resolve(name)));
    }
    Files.write(directory.resolve(name + ".gz"), packed.toByteArray());
    Files.delete(directory.resolve(name));
  }
}
