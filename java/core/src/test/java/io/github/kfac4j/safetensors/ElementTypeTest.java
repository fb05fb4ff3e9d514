package io.github.kfac4j.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every type of the format is kept, and the numbers among them are read exactly. */
class ElementTypeTest {
  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void name() {
    file = directory.resolve("t.safetensors");
  }

  private void store(String header, int... data) throws IOException {
    byte[] text = header.replace('\'', '"').getBytes(UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + text.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(text.length).put(text);
    for (int one : data) {
      bytes.put((byte) one);
    }
    Files.write(file, bytes.array());
  }

  @Test
  void everyTypeComesBackByteForByte() throws IOException {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (DType dtype : DType.values()) {
      if (dtype != DType.OTHER) {
        byte[] bytes = new byte[dtype.bits()]; // eight elements
        for (int i = 0; i < bytes.length; i++) {
          bytes[i] = (byte) (37 * i + dtype.ordinal());
        }
        tensors.put(dtype.name(), StoredTensor.of(dtype, ByteBuffer.wrap(bytes), 2, 4));
      }
    }
    new TensorFile(tensors, Map.of()).write(file);
    assertThat(TensorFile.read(file).tensors()).isEqualTo(tensors).hasSize(20);
  }

  @Test
  void aTypeOfTheFutureIsKeptUnderItsName() throws IOException {
    store("{'x':{'dtype':'F3_E1M1','shape':[8],'data_offsets':[0,3]}}", 1, 2, 3);
    TensorFile read = TensorFile.read(file);
    StoredTensor x = read.tensors().get("x");
    assertThat(x.dtype()).isEqualTo(DType.OTHER);
    assertThat(x).hasToString("F3_E1M1[8]");
    assertThat(x.isNumeric()).isFalse();
    assertThatThrownBy(x::toDoubles).hasMessage("the elements of type F3_E1M1 cannot be read");
    assertThatThrownBy(x::asFloatBuffer).hasMessage("tensor has dtype F3_E1M1, not F32");

    read.write(file);
    assertThat(TensorFile.read(file)).isEqualTo(read);
  }

  /** Bytes from the lowest to the highest; numbers from the definitions of the types. */
  @ParameterizedTest
  @CsvSource({
    "U8,   255,                        255",
    "I8,   255,                        -1",
    "I16,  0 128,                      -32768",
    "U16,  255 255,                    65535",
    "I32,  254 255 255 255,            -2",
    "U32,  255 255 255 255,            4294967295",
    "I64,  0 0 0 0 0 0 32 0,           9007199254740992",
    "I64,  255 255 255 255 255 255 255 255, -1",
    "F16,  0 60,                       1",
    "F16,  1 0,                        0x1p-24",
    "F16,  255 3,                      0x3ffp-24",
    "F16,  0 132,                      -0x1p-14",
    "F16,  255 123,                    65504",
    "F16,  0 124,                      Infinity",
    "F16,  0 252,                      -Infinity",
    "F16,  0 126,                      NaN",
    "F16,  0 128,                      -0.0",
    "BF16, 128 63,                     1",
    "BF16, 1 0,                        0x1p-133",
    "BF16, 127 127,                    0x1.fep127",
    "BF16, 128 255,                    -Infinity",
    "BF16, 192 127,                    NaN",
    "F32,  0 0 128 191,                -1",
    "F64,  0 0 0 0 0 0 0 64,           2"
  })
  void numbersAreReadExactly(DType dtype, String bytes, String number) throws IOException {
    int[] data = List.of(bytes.split(" ")).stream().mapToInt(Integer::parseInt).toArray();
    store(
        "{'x':{'dtype':'%s','shape':[],'data_offsets':[0,%d]}}".formatted(dtype, data.length),
        data);
    double expected = Double.parseDouble(number);
    double[] read = TensorFile.read(file).tensors().get("x").toDoubles();
    assertThat(Double.doubleToLongBits(read[0])).isEqualTo(Double.doubleToLongBits(expected));
    assertThat(read).hasSize(1);
  }

  @Test
  void typesBelowAByteMustFillBytes() throws IOException {
    store("{'x':{'dtype':'F4','shape':[2,3],'data_offsets':[0,3]}}", 1, 2, 3);
    assertThat(TensorFile.read(file).tensors().get("x")).hasToString("F4[2, 3]");
    store("{'x':{'dtype':'F6_E2M3','shape':[3],'data_offsets':[0,3]}}", 1, 2, 3);
    assertThatThrownBy(() -> TensorFile.read(file))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("tensor 'x' has an impossible shape [3] for F6_E2M3");
  }

  @Test
  void whatIsNotWantedIsNotLookedAt() throws IOException {
    new TensorFile(
            Map.of("x", StoredTensor.of(new float[] {1}, 1), "y", StoredTensor.of(new long[1], 1)),
            Map.of())
        .write(file);
    List<String> asked = new ArrayList<>();
    TensorFile read =
        TensorFile.read(
            file,
            name -> {
              asked.add(name);
              return name.equals("x");
            });
    assertThat(asked).containsExactlyInAnyOrder("x", "y");
    assertThat(read.tensors()).containsOnlyKeys("x");
  }

  /** Three gigabytes that take no room on a disk with sparse files, and none in memory. */
  @Test
  void aTensorTooLargeToReadDoesNotMatterIfItIsNotWanted() throws IOException {
    long size = 3L << 30;
    String header =
        "{'x':{'dtype':'F16','shape':[1],'data_offsets':[0,2]},"
            + "'big':{'dtype':'BF16','shape':[%d],'data_offsets':[2,%d]}}"
                .formatted(size / 2, 2 + size);
    store(header, 0, 60);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(1), channel.size() + size - 1);
    }
    TensorFile read = TensorFile.read(file, name -> name.equals("x"));
    assertThat(read.tensors().get("x").toDoubles()).containsExactly(1);
    assertThatThrownBy(() -> TensorFile.read(file))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("tensor 'big' of 3221225472 bytes is too large");
  }
}
