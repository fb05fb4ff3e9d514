package io.github.kfac4j.cli.apply;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.kfac4j.experiments.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Any bytes are a configuration of layers and settings, or refused with the place. */
class ConfigFuzzTest {
  @TempDir static Path folder;

  @FuzzTest
  void configurationsAreReadOrRefused(byte[] bytes) throws IOException {
    Path file = Files.write(folder.resolve("config.json"), bytes);
    try {
      ApplyConfig config = ConfigFile.read(file);
      assertThat(config.layersByName()).isNotEmpty();
      assertThat(config.options()).isNotNull();
    } catch (BadInputException | IllegalArgumentException e) {
      assertThat(e.getMessage()).isNotBlank();
    }
  }
}
