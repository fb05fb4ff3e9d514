package io.github.kfac4j.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Any bytes are a file of tensors, which comes back from a file of its own, or refused. */
class TensorFileFuzzTest {
  @TempDir static Path folder;

  @FuzzTest
  void bytesAreReadOrRefused(byte[] bytes) throws IOException {
    Path file = Files.write(folder.resolve("fuzzed.safetensors"), bytes);
    TensorFile read;
    try {
      read = TensorFile.read(file);
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("fuzzed.safetensors");
      return;
    }
    Path copy = folder.resolve("copy.safetensors");
    try {
      read.write(copy);
    } catch (SafetensorsException e) {
      assertThat(e).hasMessageContaining("copy.safetensors");
      return;
    }
    TensorFile again = TensorFile.readChecked(copy);
    assertThat(again.metadata()).isEqualTo(read.metadata());
    assertThat(again.tensors()).isEqualTo(read.tensors());
  }
}
