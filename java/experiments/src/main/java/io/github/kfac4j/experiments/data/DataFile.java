package io.github.kfac4j.experiments.data;

import io.github.kfac4j.experiments.BadInputException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** Bytes of a data file and its name for messages; unpacked if it is compressed with gzip. */
record DataFile(String name, byte[] bytes) {

  static DataFile read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return read(file.toString(), in);
    } catch (IOException e) {
      throw new BadInputException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  static DataFile read(String name, InputStream in) {
    try {
      BufferedInputStream raw = new BufferedInputStream(in);
      raw.mark(2);
      boolean gzip = raw.read() == 0x1f && raw.read() == 0x8b;
      raw.reset();
      return new DataFile(name, (gzip ? new GZIPInputStream(raw) : raw).readAllBytes());
    } catch (IOException e) { // truncated or damaged gzip data
      throw new BadInputException("%s is damaged: %s".formatted(name, e.getMessage()), e);
    }
  }

  BadInputException damaged(String reason, Object... arguments) {
    return new BadInputException(name + " is damaged: " + reason.formatted(arguments));
  }
}
