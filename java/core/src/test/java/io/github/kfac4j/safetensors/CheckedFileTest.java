package io.github.kfac4j.safetensors;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the checksum is demanded, it covers every byte of the file, and itself. */
class CheckedFileTest {
  @TempDir Path directory;
  private Path file;
  private byte[] whole;

  @BeforeEach
  void write() throws IOException {
    file = directory.resolve("t.safetensors");
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    tensors.put("x", StoredTensor.of(new float[] {1, 2}, 2));
    tensors.put("y", StoredTensor.of(new float[] {3, 4}, 2));
    TensorFile content = new TensorFile(tensors, Map.of("k", "v"));
    content.write(file);
    whole = Files.readAllBytes(file);
    assertThat(TensorFile.readChecked(file)).isEqualTo(content);
  }

  @Test
  void everyFlippedBitIsRefused() throws IOException {
    for (int bit = 0; bit < whole.length * 8; bit++) {
      byte[] damaged = whole.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      Files.write(file, damaged);
      assertThatThrownBy(() -> TensorFile.readChecked(file))
          .as("bit %d", bit)
          .isInstanceOf(SafetensorsException.class);
    }
  }

  /** Header and data of the same lengths, with something replaced in the header. */
  private void replace(String text, String by) throws IOException {
    assertThat(by).hasSameSizeAs(text);
    String damaged = new String(whole, ISO_8859_1).replace(text, by);
    assertThat(damaged).isNotEqualTo(new String(whole, ISO_8859_1));
    Files.write(file, damaged.getBytes(ISO_8859_1));
  }

  @Test
  void aFileWithoutItsChecksumIsRefused() throws IOException {
    for (String[] change :
        new String[][] {
          {"kfac4j.crc32c", "another.key.x"}, // renamed
          {"\"__metadata__\"", "\"__metadatb__\""}, // no metadata at all
        }) {
      replace(change[0], change[1]);
      assertThatThrownBy(() -> TensorFile.readChecked(file))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageStartingWith(file + ": ");
    }
    replace("kfac4j.crc32c", "another.key.x");
    assertThat(TensorFile.read(file).tensors()).hasSize(2);
    assertThatThrownBy(() -> TensorFile.readChecked(file))
        .hasMessageContaining("has no checksum (kfac4j.crc32c in the metadata)");
  }

  @Test
  void tensorsThatChangePlacesAreSeen() throws IOException {
    replace("\"x\"", "\"z\"");
    assertThatThrownBy(() -> TensorFile.readChecked(file)).hasMessageContaining("damaged");
    String swapped = new String(whole, ISO_8859_1);
    swapped = swapped.replace("\"x\"", "\"?\"").replace("\"y\"", "\"x\"").replace("\"?\"", "\"y\"");
    Files.write(file, swapped.getBytes(ISO_8859_1));
    assertThatThrownBy(() -> TensorFile.readChecked(file)).hasMessageContaining("damaged");
  }
}
