package io.github.kfac4j.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every damaged or foreign file is refused, with the file and the reason in the message. */
class DamagedFileTest {
  private static final String X = "'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}";

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void name() {
    file = directory.resolve("t.safetensors");
  }

  private void store(String header, int dataBytes) throws IOException {
    byte[] text = header.replace('\'', '"').getBytes(UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(file, bytes.putLong(text.length).put(text).array());
  }

  private void assertRefused(String reason) {
    assertThatThrownBy(() -> TensorFile.read(file))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(reason);
  }

  @Test
  void acceptsTheIntactExample() throws IOException {
    store("{ 'x' : {'shape':[2],'data_offsets':[0,8],'dtype':'\\u0046\\u00332'} }  \n", 8);
    assertThat(TensorFile.read(file).tensors()).containsKey("x");
    store("{" + X + "}", 8);
    assertThat(TensorFile.read(file).metadata()).isEmpty();
    store("{}", 0);
    assertThat(TensorFile.read(file).tensors()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 7 | truncated",
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 9 | 1 bytes after the last",
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[4,12]}} | 12 | leaving a gap after 0",
        "{'x':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}} | 8 | needs 12 bytes",
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}} | 8 | needs 8 bytes",
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[0]}} | 8 | two data_offsets",
        "{'x':{'dtype':'BF16','shape':[3],'data_offsets':[0,8]}} | 8 | needs 6 bytes",
        "{'x':{'dtype':'F3','shape':[3],'data_offsets':[8,0]}} | 8 | end early",
        "{'x':{'dtype':'F32','shape':['2'],'data_offsets':[0,8]}} | 8 | not integers",
        "{'x':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | 8 | non-negative",
        "{'x':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}} | 8 | expected ']'",
        "{'x':{'dtype':'F32','shape':[02],'data_offsets':[0,8]}} | 8 | expected",
        "{'x':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,0]}} | 0 | large",
        "{'x':{'dtype':'F32','shape':[99999999999999999999],'data_offsets':[0,0]}} | 0 | range",
        "{'x':{'dtype':'F32','shape':[2]}} | 8 | needs dtype, shape",
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'z':1}} | 8 | nothing else",
        "{'x':{'dtype':'F32','dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 8 | repeated name",
        "{'x':7} | 0 | needs dtype, shape",
        "{'__metadata__':7} | 0 | not an object",
        "{'__metadata__':{'k':7}} | 0 | metadata 'k' is not a string",
        "{'__metadata__':{'kfac4j.crc32c':'00000001'}} | 0 | does not match its checksum",
        "[] | 0 | expected '{'",
        "{}{} | 0 | after the end",
        "{'x | 0 | unexpected end",
        "{'x':null} | 0 | expected",
        "{'x':{},} | 0 | expected",
        "{'\\q':{}} | 0 | unknown escape",
        "{'\\u00g0':{}} | 0 | hexadecimal",
      })
  void refusesABadHeader(String header, int dataBytes, String reason) throws IOException {
    store(header, dataBytes);
    assertRefused(reason);
  }

  @Test
  void refusesRepeatedNamesAndOverlaps() throws IOException {
    store("{" + X + "," + X + "}", 8);
    assertRefused("repeated name 'x'");
    store("{" + X + ",'y':{'dtype':'U8','shape':[4],'data_offsets':[4,8]}}", 8);
    assertRefused("tensor 'y' starts at byte 4 of the data, inside another tensor");
    store("{" + X + ",'y':{'dtype':'U8','shape':[4],'data_offsets':[9,13]}}", 13);
    assertRefused("tensor 'y' starts at byte 9 of the data, leaving a gap after 8");
  }

  @Test
  void refusesDeepNestingWithoutExhaustingTheStack() throws IOException {
    store("{'x':" + "[".repeat(1_000_000), 0);
    assertRefused("nested too deeply");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 100_000_001, -1, Long.MAX_VALUE, Long.MIN_VALUE})
  void refusesAnImpossibleHeaderLength(long length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(file, bytes.putLong(length).array());
    assertRefused("not a safetensors file: header length " + Long.toUnsignedString(length));
  }

  @Test
  void refusesTextThatIsNotUtf8() throws IOException {
    byte[] bytes = {4, 0, 0, 0, 0, 0, 0, 0, '{', (byte) 0xff, '}', ' '};
    Files.write(file, bytes);
    assertRefused("header is not UTF-8 text");
  }

  @Test
  void refusesEveryTruncation() throws IOException {
    new TensorFile(Map.of("x", StoredTensor.of(new float[] {1, 2}, 2)), Map.of()).write(file);
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertRefused("");
    }
  }

  @Test
  void noFlippedBitPassesUnseen() throws IOException {
    Map<String, StoredTensor> tensors = Map.of("x", StoredTensor.of(new float[] {1, 2}, 2));
    new TensorFile(tensors, Map.of("k", "v")).write(file);
    byte[] whole = Files.readAllBytes(file);
    for (int bit = 0; bit < whole.length * 8; bit++) {
      byte[] damaged = whole.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      Files.write(file, damaged);
      TensorFile read;
      try {
        read = TensorFile.read(file);
      } catch (SafetensorsException refused) {
        continue;
      }
      // harmless (padding), or the name of the checksum itself: then it shows in the metadata
      assertThat(read.tensors()).as("bit %d", bit).isEqualTo(tensors);
      assertThat(read.metadata()).containsEntry("k", "v");
    }
  }
}
