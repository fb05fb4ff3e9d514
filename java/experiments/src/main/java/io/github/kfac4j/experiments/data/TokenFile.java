package io.github.kfac4j.experiments.data;

import io.github.kfac4j.experiments.BadInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;

/**
 * Tokens of a text of any length, two bytes each, in a temporary file that ends with the process;
 * memory does not grow with the text. Closed when it is no longer reachable.
 */
final class TokenFile {
  private final FileChannel file;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
  private long count;

  /**
   * An empty one.
   *
   * @throws BadInputException if the folder of temporary files cannot be written
   */
  TokenFile() {
    try {
      file =
          FileChannel.open(
              Files.createTempFile("kfac-tokens", null),
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  private static BadInputException unwritable(IOException e) {
    return new BadInputException(
        "the tokens of the text cannot be written to %s: %s (another folder: -Djava.io.tmpdir)"
            .formatted(System.getProperty("java.io.tmpdir"), e.getMessage()),
        e);
  }

  void add(char token) {
    if (!buffer.hasRemaining()) {
      flush();
    }
    buffer.putChar(token);
    count++;
  }

  /** Writes what was added; before that it cannot be read. */
  void flush() {
    try {
      buffer.flip();
      while (buffer.hasRemaining()) {
        file.write(buffer);
      }
      buffer.clear();
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  /** How many there are. */
  long count() {
    return count;
  }

  /** Reads tokens from one on, as many as there is room for. */
  void read(long from, CharBuffer out) {
    ByteBuffer bytes = ByteBuffer.allocate(out.remaining() * Character.BYTES);
    try {
      while (bytes.hasRemaining()) {
        if (file.read(bytes, from * Character.BYTES + bytes.position()) < 0) {
          throw new IllegalArgumentException("tokens from %d on, of %d".formatted(from, count));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out.put(bytes.flip().asCharBuffer());
  }
}
