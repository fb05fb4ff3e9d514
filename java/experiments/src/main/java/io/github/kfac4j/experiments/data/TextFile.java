package io.github.kfac4j.experiments.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.files.RegularFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.file.Path;
import java.util.function.Predicate;

/** The lines of a text in UTF-8, plain or compressed with gzip, one at a time. */
final class TextFile {
  /** No line of a text is as long; bounds memory where a file has no lines. */
  private static final int LONGEST = 1 << 20;

  private final String name;
  private final InputStream in;
  private final CharsetDecoder decoder = UTF_8.newDecoder(); // reports what is malformed
  private final byte[] line = new byte[LONGEST];
  private long number;

  private TextFile(String name, InputStream in) {
    this.name = name;
    this.in = in;
  }

  /**
   * Reads the lines that are not blank, until one is not accepted.
   *
   * @return whether all were
   * @throws BadInputException by the name of the file, if it cannot be read, is no text or empty
   */
  static boolean read(Path file, Predicate<String> accept) {
    try (InputStream raw = Channels.newInputStream(RegularFile.open(file))) {
      return read(file.toString(), raw, accept);
    } catch (IOException e) {
      throw new BadInputException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  static boolean read(String name, InputStream raw, Predicate<String> accept) {
    try {
      return new TextFile(name, DataFile.unpacked(raw)).lines(accept);
    } catch (IOException e) { // truncated or damaged gzip data
      throw new BadInputException("%s is damaged: %s".formatted(name, e.getMessage()), e);
    }
  }

  private boolean lines(Predicate<String> accept) throws IOException {
    boolean empty = true;
    for (String text = next(); text != null; text = next()) {
      if (!text.isBlank()) {
        empty = false;
        if (!accept.test(text)) {
          return false;
        }
      }
    }
    if (empty) {
      throw new BadInputException(name + " is empty: it has no line of text");
    }
    return true;
  }

  /** The next line, without what ends it; null at the end of the file. */
  private String next() throws IOException {
    number++;
    int length = 0;
    int read = in.read();
    if (read < 0) {
      return null;
    }
    for (; read >= 0 && read != '\n'; read = in.read()) {
      if (read == 0) {
        throw damaged("a zero byte, which is in no text");
      }
      if (length == LONGEST) {
        throw damaged("more than %,d bytes".formatted(LONGEST));
      }
      line[length++] = (byte) read;
    }
    if (length > 0 && line[length - 1] == '\r') {
      length--;
    }
    try {
      return decoder.decode(ByteBuffer.wrap(line, 0, length)).toString();
    } catch (CharacterCodingException e) {
      throw damaged("bytes that are not UTF-8");
    }
  }

  private BadInputException damaged(String what) {
    return new BadInputException("%s is damaged: line %,d has %s".formatted(name, number, what));
  }
}
