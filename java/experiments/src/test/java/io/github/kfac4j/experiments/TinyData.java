package io.github.kfac4j.experiments;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/** A learnable data set in the real format, so small that steps take milliseconds. */
public final class TinyData {
  /** Training images in {@link #write}. */
  public static final int TRAIN = 160;

  private static final int TEST = 40;
  private static final int SIDE = 8;

  private TinyData() {}

  /** Writes the four idx files: each class is a bright bar at its own place, plus noise. */
  public static Path write(Path directory) throws IOException {
    Files.createDirectories(directory);
    write(directory, "train", TRAIN, new Random(1));
    write(directory, "t10k", TEST, new Random(2));
    return directory;
  }

  /** Writes the six files of CIFAR-10, {@code count} images in each: a bright band by class. */
  public static Path writeCifar(Path directory, int count) throws IOException {
    Files.createDirectories(directory);
    for (int file = 1; file <= 6; file++) {
      Random random = new Random(file);
      ByteBuffer records = ByteBuffer.allocate(count * 3073);
      for (int i = 0; i < count; i++) {
        int label = i % 10;
        records.put((byte) label);
        for (int k = 0; k < 3072; k++) {
          boolean band = k % 1024 / 32 / 3 == label;
          records.put((byte) (random.nextInt(120) + (band ? 120 : 0)));
        }
      }
      String name = file == 6 ? "test_batch.bin" : "data_batch_%d.bin".formatted(file);
      Files.write(directory.resolve(name), records.array());
    }
    return directory;
  }

  /**
   * Writes a text {@code words.txt} of 800 lines: words of a small language, each of which is
   * followed by one of two.
   */
  public static Path writeText(Path directory) throws IOException {
    Files.createDirectories(directory);
    Random random = new Random(3);
    String[] words = new String[250];
    for (int i = 0; i < words.length; i++) {
      words[i] =
          random
              .ints(6, 'a', 'z' + 1)
              .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
              .toString();
    }
    StringBuilder text = new StringBuilder();
    int word = 0;
    for (int line = 0; line < 800; line++) {
      for (int i = 0; i < 8; i++) {
        text.append(words[word]).append(i < 7 ? " " : ".\n");
        word = (7 * word + random.nextInt(2) + 1) % words.length;
      }
    }
    Files.writeString(directory.resolve("words.txt"), text);
    return directory;
  }

  private static void write(Path directory, String part, int count, Random random)
      throws IOException {
    ByteBuffer images = header(0x803, count, SIDE, SIDE);
    ByteBuffer labels = header(0x801, count);
    for (int i = 0; i < count; i++) {
      int label = i % 10;
      labels.put((byte) label);
      for (int k = 0; k < SIDE * SIDE; k++) {
        boolean bar = label < 5 ? k / SIDE == label + 1 : k % SIDE == label - 4;
        images.put((byte) (random.nextInt(120) + (bar ? 120 : 0)));
      }
    }
    Files.write(directory.resolve(part + "-images-idx3-ubyte"), images.array());
    Files.write(directory.resolve(part + "-labels-idx1-ubyte"), labels.array());
  }

  private static ByteBuffer header(int magic, int... shape) {
    int size = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    ByteBuffer file = ByteBuffer.allocate(4 + 4 * shape.length + size).putInt(magic);
    Arrays.stream(shape).forEach(file::putInt);
    return file;
  }
}
