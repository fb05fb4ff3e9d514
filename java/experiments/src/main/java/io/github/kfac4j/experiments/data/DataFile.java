package io.github.kfac4j.experiments.data;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.files.RegularFile;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * Bytes of a data file and its name for messages; unpacked if it is compressed with gzip. The
 * complete data sets have up to 47 MB in a file, SVHN 182.
 */
record DataFile(String name, byte[] bytes) {

  private static final int MAX_BYTES = 1 << 26;

  static DataFile read(Path file) {
    return read(file, MAX_BYTES);
  }

  /** Of at most so many bytes. */
  static DataFile read(Path file, int most) {
    try (InputStream in = Channels.newInputStream(RegularFile.open(file))) {
      return read(file.toString(), in, most);
    } catch (IOException e) {
      throw new BadInputException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  static DataFile read(String name, InputStream in) {
    return read(name, in, MAX_BYTES);
  }

  private static DataFile read(String name, InputStream in, int most) {
    try {
      InputStream content = unpacked(in);
      byte[] bytes = content.readNBytes(most);
      if (content.read() >= 0) {
        throw new IOException("it has more than %,d bytes".formatted(most));
      }
      return new DataFile(name, bytes);
    } catch (OutOfMemoryError e) {
      throw new BadInputException(
          name + " takes more memory than java may use; give it a larger heap with -Xmx", e);
    } catch (IOException e) { // truncated or damaged gzip data
      throw new BadInputException("%s is damaged: %s".formatted(name, e.getMessage()), e);
    }
  }

  /** The content, buffered, of what may be compressed. */
  static InputStream unpacked(InputStream in) throws IOException {
    BufferedInputStream raw = new BufferedInputStream(in);
    raw.mark(2);
    boolean gzip = raw.read() == 0x1f && raw.read() == 0x8b;
    raw.reset();
    return gzip ? new BufferedInputStream(new GZIPInputStream(raw)) : raw;
  }

  BadInputException damaged(String reason, Object... arguments) {
    return new BadInputException(name + " is damaged: " + reason.formatted(arguments));
  }
}
