package io.github.kfac4j.files;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * Replaces a file in one step: after a crash there is the old content or the new, never a mix. Any
 * number of threads and processes may write the same file; the last one stays.
 */
public final class AtomicFile {
  private static final String PREFIX = ".kfac4j-";
  private static final String SUFFIX = ".tmp";
  private static final Duration LONGEST_WRITE = Duration.ofHours(1); // of one part, and to disk
  private static final int MAX_LINKS = 40; // as Linux

  private static final SecureRandom RANDOM = new SecureRandom();

  private AtomicFile() {}

  /**
   * Writes a file; see {@link #write(Path, Iterable)}.
   *
   * @param content all of it
   */
  public static void write(Path file, byte[] content) throws IOException {
    write(file, List.of(ByteBuffer.wrap(content)));
  }

  /**
   * Writes {@code parts} one after the other to a new file beside it, which is forced to disk and
   * renamed. Of a symbolic link the target is replaced.
   *
   * @param parts the remaining bytes of each; positions stay
   * @throws IOException if it cannot be written, or something that is no regular file is in the
   *     way; the old file is untouched then
   */
  public static void write(Path file, Iterable<ByteBuffer> parts) throws IOException {
    Path target = target(file);
    Path directory = target.getParent();
    // same directory, hence same file system: the rename is atomic
    Path temporary = directory.resolve("%s%016x%s".formatted(PREFIX, RANDOM.nextLong(), SUFFIX));
    try (FileChannel channel = FileChannel.open(temporary, CREATE_NEW, WRITE, NOFOLLOW_LINKS)) {
      try {
        for (ByteBuffer part : parts) {
          ByteBuffer rest = part.duplicate();
          while (rest.hasRemaining()) {
            channel.write(rest);
          }
        }
        channel.force(true);
        Files.move(temporary, target, ATOMIC_MOVE);
      } catch (IOException | RuntimeException | Error e) {
        Files.deleteIfExists(temporary);
        throw e;
      }
    }
    force(directory); // makes the rename itself durable
  }

  /**
   * The file that {@link #write} would write: links are followed, also to what is not there yet.
   *
   * @throws FileSystemException if it is there and no regular file, or links go round in circles
   */
  public static Path target(Path file) throws IOException {
    Path target = file.toAbsolutePath();
    for (int links = 0; Files.isSymbolicLink(target); links++) {
      if (links == MAX_LINKS) {
        throw new FileSystemLoopException(file.toString());
      }
      target = target.resolveSibling(Files.readSymbolicLink(target));
    }
    if (Files.exists(target, NOFOLLOW_LINKS) && !Files.isRegularFile(target, NOFOLLOW_LINKS)) {
      throw new FileSystemException(file.toString(), null, RegularFile.NOT_REGULAR);
    }
    if (target.getParent() == null) {
      throw new FileSystemException(file.toString(), null, "has no folder");
    }
    return target;
  }

  /**
   * Removes what processes that were killed while they wrote have left in a folder: files to which
   * nothing was written for an hour. Others may be those of a thread, process or machine that is
   * writing.
   */
  public static void removeRemains(Path directory) throws IOException {
    Instant old = Instant.now().minus(LONGEST_WRITE);
    try (DirectoryStream<Path> remains =
        Files.newDirectoryStream(directory, PREFIX + "*" + SUFFIX)) {
      for (Path file : remains) {
        if (lastWritten(file).isBefore(old)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  private static Instant lastWritten(Path file) throws IOException {
    try {
      return Files.getLastModifiedTime(file, NOFOLLOW_LINKS).toInstant();
    } catch (NoSuchFileException e) { // its writer has renamed it
      return Instant.MAX;
    }
  }

  private static void force(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, READ)) {
      channel.force(true);
    }
  }
}
