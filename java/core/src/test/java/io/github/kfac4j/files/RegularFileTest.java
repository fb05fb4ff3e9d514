package io.github.kfac4j.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.testkit.Pipes;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class RegularFileTest {
  @TempDir Path directory;

  @Test
  void readsAFileUpToItsLimit() throws Exception {
    Path file = Files.write(directory.resolve("f"), new byte[] {1, 2, 3});
    assertThat(RegularFile.read(file, 3)).containsExactly(1, 2, 3);
    assertThatThrownBy(() -> RegularFile.read(file, 2))
        .hasMessage(file + ": is larger than 2 bytes");
    assertThatThrownBy(() -> RegularFile.read(directory.resolve("g"), 2))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  @Timeout(60)
  void doesNotWaitForAPipeNorReadADevice() throws Exception {
    Path pipe = directory.resolve("pipe");
    assumeTrue(Pipes.make(pipe), "there is no mkfifo here");
    assertThatThrownBy(() -> RegularFile.open(pipe)).hasMessage(pipe + ": is not a regular file");
    assertThatThrownBy(() -> RegularFile.open(Path.of("/dev/zero")))
        .hasMessage("/dev/zero: is not a regular file");
    assertThatThrownBy(() -> RegularFile.open(directory))
        .hasMessage(directory + ": is a directory");
  }
}
