package io.github.kfac4j.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.testkit.Pipes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file is replaced whole or not at all, and nothing but a regular file is. */
class AtomicFileTest {
  private static final byte[] NEW = {1, 2, 3};

  @TempDir Path directory;

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void replacesAFileByPartsAndLeavesNothingElse() throws IOException {
    Path file = Files.writeString(directory.resolve("f"), "old");
    ByteBuffer part = ByteBuffer.wrap(NEW).position(1);
    AtomicFile.write(file, List.of(part, part));
    assertThat(file).hasBinaryContent(new byte[] {2, 3, 2, 3});
    assertThat(part.position()).isEqualTo(1);
    assertThat(names()).containsExactly("f");
  }

  @Test
  void writesWhereALinkPointsAndTheLinkStays() throws IOException {
    Path target = Files.writeString(directory.resolve("target"), "old");
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("target"));
    AtomicFile.write(link, NEW);
    assertThat(target).hasBinaryContent(NEW);
    assertThat(link).isSymbolicLink();

    Path dangling = Files.createSymbolicLink(directory.resolve("dangling"), Path.of("fresh"));
    AtomicFile.write(dangling, NEW);
    assertThat(directory.resolve("fresh")).hasBinaryContent(NEW);
    assertThat(dangling).isSymbolicLink();
  }

  @Test
  void refusesWhatIsNoRegularFileAndLeavesItAlone() throws Exception {
    Path pipe = directory.resolve("pipe");
    assumeTrue(Pipes.make(pipe), "there is no mkfifo here");
    assertThatThrownBy(() -> AtomicFile.write(pipe, NEW))
        .isInstanceOf(FileSystemException.class)
        .hasMessage(pipe + ": is not a regular file");
    assertThatThrownBy(() -> AtomicFile.write(Path.of("/dev/null"), NEW))
        .hasMessage("/dev/null: is not a regular file");
    assertThatThrownBy(() -> AtomicFile.write(directory, NEW)).isInstanceOf(IOException.class);
    Path a = directory.resolve("a");
    Files.createSymbolicLink(a, directory.resolve("b"));
    Files.createSymbolicLink(directory.resolve("b"), a);
    assertThatThrownBy(() -> AtomicFile.write(a, NEW)).isInstanceOf(FileSystemLoopException.class);
    assertThat(names()).containsExactly("a", "b", "pipe");
  }

  @Test
  void theNameOfTheTemporaryFileIsUnpredictable() throws IOException {
    Path victim = Files.writeString(directory.resolve("victim"), "precious");
    Path file = directory.resolve("f");
    long pid = ProcessHandle.current().pid();
    for (String guess : List.of(".f.tmp", ".f." + pid + ".tmp")) {
      Files.createSymbolicLink(directory.resolve(guess), victim);
    }
    AtomicFile.write(file, NEW);
    assertThat(victim).hasContent("precious");
    assertThat(file).hasBinaryContent(NEW);
    assertThat(file).isRegularFile();
  }

  @Test
  void aFailureLeavesTheOldFileAndNoOther() throws IOException {
    Path file = Files.writeString(directory.resolve("f"), "old");
    Iterable<ByteBuffer> failing =
        () ->
            Stream.of(ByteBuffer.wrap(NEW), ByteBuffer.wrap(NEW))
                .peek(
                    part -> {
                      throw new IllegalStateException("no more");
                    })
                .iterator();
    assertThatThrownBy(() -> AtomicFile.write(file, failing)).hasMessage("no more");
    assertThat(file).hasContent("old");
    assertThat(names()).containsExactly("f");
  }

  @Test
  void whatKilledProcessesLeftCanBeRemoved() throws IOException {
    FileTime old = FileTime.from(Instant.now().minus(Duration.ofHours(2)));
    for (String name : List.of(".kfac4j-0123456789abcdef.tmp", "f.tmp")) {
      Files.setLastModifiedTime(Files.writeString(directory.resolve(name), "half"), old);
    }
    AtomicFile.removeRemains(directory);
    assertThat(names()).containsExactly("f.tmp");
  }

  @Test
  void aFileThatIsBeingWrittenIsNoRemains() throws IOException {
    Path file = directory.resolve("f");
    Iterable<ByteBuffer> parts =
        () ->
            Stream.of(ByteBuffer.wrap(NEW))
                .peek(
                    part -> {
                      try {
                        AtomicFile.removeRemains(directory);
                      } catch (IOException e) {
                        throw new UncheckedIOException(e);
                      }
                    })
                .iterator();
    AtomicFile.write(file, parts);
    assertThat(file).hasBinaryContent(NEW);
    assertThat(names()).containsExactly("f");
  }
}
