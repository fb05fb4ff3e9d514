package io.github.kfac4j.safetensors;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** Replaces a file in one step: after a crash there is the old content or the new, never a mix. */
final class AtomicFile {
  private AtomicFile() {}

  /** Writes {@code parts} one after the other; on failure the old file is untouched. */
  static void write(Path file, Iterable<ByteBuffer> parts) throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    // same directory, hence same file system: the rename is atomic
    String name = ".%s.%d.tmp".formatted(file.getFileName(), ProcessHandle.current().pid());
    Path temporary = directory.resolve(name);
    try {
      try (FileChannel channel = FileChannel.open(temporary, CREATE, TRUNCATE_EXISTING, WRITE)) {
        for (ByteBuffer part : parts) {
          ByteBuffer rest = part.duplicate();
          while (rest.hasRemaining()) {
            channel.write(rest);
          }
        }
        channel.force(true);
      }
      Files.move(temporary, file, ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
    try (FileChannel channel = FileChannel.open(directory, READ)) {
      channel.force(true); // makes the rename itself durable
    }
  }
}
