package io.github.kfac4j.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads regular files alone: reading a pipe would wait for a writer, a device may have no end.
 * Links are followed.
 */
public final class RegularFile {
  static final String NOT_REGULAR = "is not a regular file";

  private RegularFile() {}

  /**
   * Opens a file for reading.
   *
   * @throws IOException if it is missing, cannot be read, or is no regular file
   */
  public static FileChannel open(Path file) throws IOException {
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      String what = Files.isDirectory(file) ? "is a directory" : NOT_REGULAR;
      throw new FileSystemException(file.toString(), null, what);
    }
    return FileChannel.open(file);
  }

  /**
   * Reads a small file.
   *
   * @param maxBytes that it may have
   * @throws IOException as {@link #open}, or if it is larger
   */
  public static byte[] read(Path file, int maxBytes) throws IOException {
    try (InputStream in = Channels.newInputStream(open(file))) {
      byte[] bytes = in.readNBytes(maxBytes);
      if (in.read() >= 0) {
        throw new FileSystemException(
            file.toString(), null, "is larger than %,d bytes".formatted(maxBytes));
      }
      return bytes;
    }
  }
}
