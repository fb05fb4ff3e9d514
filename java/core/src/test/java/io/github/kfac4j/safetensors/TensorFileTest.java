package io.github.kfac4j.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorFileTest {
  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void name() {
    file = directory.resolve("t.safetensors");
  }

  @Test
  void keepsTypesShapesValuesMetadataAndOrder() throws IOException {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    tensors.put("conv.weight", StoredTensor.of(new float[] {1, -2, Float.NaN, 4}, 2, 1, 2));
    tensors.put("bias", StoredTensor.of(new float[0], 0));
    tensors.put("scalar", StoredTensor.of(new float[] {0.5f}));
    tensors.put("factor", StoredTensor.of(new double[] {Math.PI, Double.MIN_VALUE}, 2));
    tensors.put("step", StoredTensor.of(new long[] {Long.MIN_VALUE}, 1));
    tensors.put("raw", StoredTensor.of(DType.U8, ByteBuffer.wrap(new byte[] {1, -1, 0}), 3));
    TensorFile written = new TensorFile(tensors, Map.of("a\"\\\u0001é", "b\n😀"));

    written.write(file);
    TensorFile read = TensorFile.read(file);

    assertThat(read.tensors()).isEqualTo(tensors);
    assertThat(read.metadata()).isEqualTo(written.metadata());
    assertThat(read.tensors().keySet()) // widest first, else as given: all data aligned
        .containsExactly("factor", "step", "conv.weight", "bias", "scalar", "raw");
    assertThat(read.tensors().get("scalar").shape()).isEmpty();
    assertThat(read.tensors().get("factor").data().isDirect()).isTrue();
  }

  @Test
  void readsAFileMadeByPython() throws IOException {
    try (InputStream golden = getClass().getResourceAsStream("python.safetensors")) {
      Files.copy(golden, file);
    }
    TensorFile read = TensorFile.read(file);

    ByteBuffer labels = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putInt(7).putInt(-8);
    Map<String, StoredTensor> expected =
        Map.of(
            "fc.weight",
            StoredTensor.of(new float[] {0, 0.5f, 1, 1.5f, 2, 2.5f}, 2, 3),
            "scale",
            StoredTensor.of(new double[] {-1.5e300}),
            "step",
            StoredTensor.of(new long[] {1, -2, 1L << 40}, 3),
            "labels",
            StoredTensor.of(DType.I32, labels.flip(), 2, 1),
            "bytes",
            StoredTensor.of(DType.U8, ByteBuffer.wrap(new byte[] {0, 127, -1}), 3),
            "empty",
            StoredTensor.of(new float[0], 0, 4),
            "naïve \"名\"\n",
            StoredTensor.of(new float[] {3.25f}, 1));
    assertThat(read.tensors()).isEqualTo(expected);
    assertThat(read.metadata())
        .isEqualTo(Map.of("made by", "Python safetensors 0.8.0", "quote", "\"\\\té"));
  }

  @Test
  void writesTheLayoutOfTheFormat() throws IOException {
    new TensorFile(Map.of("x", StoredTensor.of(new float[] {1}, 1)), Map.of()).write(file);

    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int headerLength = (int) bytes.getLong();
    assertThat(headerLength % 8).isZero();
    String header = new String(bytes.array(), 8, headerLength, UTF_8);
    assertThat(header.strip())
        .matches(
            "\\{\"__metadata__\":\\{\"kfac4j.crc32c\":\"[0-9a-f]{8}\"},"
                + "\"x\":\\{\"dtype\":\"F32\",\"shape\":\\[1],\"data_offsets\":\\[0,4]}}");
    assertThat(bytes.getFloat(8 + headerLength)).isEqualTo(1f);
    assertThat(bytes.capacity()).isEqualTo(8 + headerLength + 4);
  }

  @Test
  void replacesAFileAndLeavesNoTemporary() throws IOException {
    Files.writeString(file, "old");
    TensorFile content = new TensorFile(Map.of("x", StoredTensor.of(new float[] {1}, 1)), Map.of());
    content.write(file);
    assertThat(TensorFile.read(file)).isEqualTo(content);
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void aFailedWriteKeepsTheOldFile() throws IOException {
    TensorFile old = new TensorFile(Map.of("x", StoredTensor.of(new float[] {1}, 1)), Map.of());
    old.write(file);
    TensorFile unwritable =
        new TensorFile(Map.of("\ud83d", StoredTensor.of(new float[1], 1)), Map.of());
    assertThatThrownBy(() -> unwritable.write(file))
        .isInstanceOf(SafetensorsException.class)
        .hasMessage(file + ": a name or metadata string is not valid Unicode");
    assertThat(TensorFile.read(file)).isEqualTo(old);
  }

  @Test
  void namesTheFileThatCannotBeReadOrWritten() {
    Path nowhere = directory.resolve("missing/t.safetensors");
    TensorFile empty = new TensorFile(Map.of(), Map.of());
    assertThatThrownBy(() -> empty.write(nowhere))
        .isInstanceOf(SafetensorsException.class)
        .hasMessage(nowhere + ": cannot be written: no such file or directory");
    assertThatThrownBy(() -> TensorFile.read(nowhere))
        .isInstanceOf(SafetensorsException.class)
        .hasMessage(nowhere + ": cannot be read: no such file or directory");
    assertThatThrownBy(() -> TensorFile.read(directory))
        .isInstanceOf(SafetensorsException.class)
        .hasMessage(directory + ": cannot be read: is a directory");
  }

  @Test
  void anInterruptedThreadIsSaidToBeSo() throws IOException {
    TensorFile old = new TensorFile(Map.of("x", StoredTensor.of(new float[] {1}, 1)), Map.of());
    old.write(file);
    TensorFile fresh = new TensorFile(Map.of(), Map.of());
    try {
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> fresh.write(file))
          .isInstanceOf(SafetensorsException.class)
          .hasMessage(file + ": cannot be written: the thread was interrupted");
      assertThatThrownBy(() -> TensorFile.read(file))
          .isInstanceOf(SafetensorsException.class)
          .hasMessage(file + ": cannot be read: the thread was interrupted");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(TensorFile.read(file)).isEqualTo(old);
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void aTensorChecksItsShapeAndType() {
    assertThatThrownBy(() -> StoredTensor.of(new float[3], 2, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("shape [2, 2] of F32 needs 16 bytes of data, got 12");
    assertThatThrownBy(() -> StoredTensor.of(new float[2], -2, -1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("negative extent");
    assertThatThrownBy(() -> StoredTensor.of(new float[1], 1).asDoubleBuffer())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("tensor has dtype F32, not F64");
    assertThatThrownBy(
            () ->
                new TensorFile(Map.of("__metadata__", StoredTensor.of(new float[0], 0)), Map.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
