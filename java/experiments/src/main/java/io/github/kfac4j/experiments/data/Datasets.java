package io.github.kfac4j.experiments.data;

import io.github.kfac4j.experiments.BadInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Finds and loads data sets. */
public final class Datasets {
  /** Held out of the complete training files, as in the experiments that are compared with. */
  private static final int HELD_OUT = 5_000;

  private static final int MAT_BYTES = 1 << 28;

  private static final Path DEBIAN = Path.of("/usr/share/datasets");

  private Datasets() {}

  /**
   * Loads from {@code directory} if given; else, for Fashion-MNIST, from where Debian's package
   * dataset-fashion-mnist puts it; else its bundled subset.
   *
   * @throws BadInputException if nothing is found or a file is damaged
   */
  public static Dataset load(DatasetName name, Optional<Path> directory) {
    return load(name, directory, DEBIAN);
  }

  /**
   * Loads a text from {@code directory}.
   *
   * @throws BadInputException if it is missing, a file is damaged or empty, or there is too little
   */
  public static Dataset loadText(DatasetName name, Optional<Path> directory, TextForm form) {
    Path given =
        directory.orElseThrow(
            () ->
                new BadInputException(
                    "--data %s: name its folder with --data-dir".formatted(name)));
    requireDirectory(given);
    return name == DatasetName.LM1B ? Texts.lm1b(given, form) : Texts.plain(given, form);
  }

  private static void requireDirectory(Path given) {
    if (!Files.isDirectory(given)) {
      throw new BadInputException("--data-dir %s is not a directory".formatted(given));
    }
  }

  static Dataset load(DatasetName name, Optional<Path> directory, Path systemDirectory) {
    if (directory.isPresent()) {
      Path given = directory.get();
      requireDirectory(given);
      return fromDirectory(name, given, given.toString());
    }
    Path system = systemDirectory.resolve(name.toString());
    if (Files.isDirectory(system)) {
      return fromDirectory(name, system, system + " (system package)");
    }
    if (name == DatasetName.FASHION_MNIST) {
      return split(name, "bundled subset of real images", idx(Datasets::bundled));
    }
    throw new BadInputException(
        "%s is not bundled: download it and name its folder with --data-dir".formatted(name));
  }

  private static Dataset fromDirectory(DatasetName name, Path directory, String source) {
    Function<String, DataFile> files = file -> DataFile.read(find(directory, file));
    Parts parts =
        switch (name) {
          case CIFAR10 ->
              new Parts(
                  CifarFile.images(
                      IntStream.rangeClosed(1, 5)
                          .mapToObj(i -> files.apply("data_batch_%d.bin".formatted(i)))
                          .toList()),
                  CifarFile.images(List.of(files.apply("test_batch.bin"))));
          case SVHN -> new Parts(svhn(directory, "train"), svhn(directory, "test"));
          case MNIST, FASHION_MNIST -> idx(files);
          case TEXT, LM1B -> throw new IllegalArgumentException(name + " has no images");
        };
    return split(name, source, parts);
  }

  private static Images svhn(Path directory, String part) {
    Path file = find(directory, part + "_32x32.mat");
    return SvhnFile.images(DataFile.read(file, MAT_BYTES));
  }

  private record Parts(Images train, Images test) {}

  private static Parts idx(Function<String, DataFile> files) {
    return new Parts(
        IdxFile.images(
            files.apply("train-images-idx3-ubyte"), files.apply("train-labels-idx1-ubyte")),
        IdxFile.images(
            files.apply("t10k-images-idx3-ubyte"), files.apply("t10k-labels-idx1-ubyte")));
  }

  private static Dataset split(DatasetName name, String source, Parts parts) {
    Images train = parts.train;
    if (train.imageSize() != parts.test.imageSize()) {
      throw new BadInputException(
          "%s (%s): training and test images differ in size".formatted(name, source));
    }
    if (train.count() != name.completeCount()) {
      return new Dataset(
          name.toString(), source, "validation on the test file", train, parts.test, null);
    }
    int kept = train.count() - HELD_OUT;
    return new Dataset(
        name.toString(),
        source,
        "the last %,d training images held out".formatted(HELD_OUT),
        train.slice(0, kept),
        train.slice(kept, train.count()),
        parts.test);
  }

  /** The file itself or gzipped, in the folder or in the subfolder its archive unpacks to. */
  private static Path find(Path directory, String file) {
    return Stream.of(directory, directory.resolve("cifar-10-batches-bin"))
        .flatMap(folder -> Stream.of(folder.resolve(file), folder.resolve(file + ".gz")))
        .filter(Files::isRegularFile)
        .findFirst()
        .orElseThrow(
            () -> new BadInputException("%s has no file %s[.gz]".formatted(directory, file)));
  }

  private static DataFile bundled(String file) {
    String resource = "fashion-mnist/" + file + ".gz";
    try (InputStream in = Datasets.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("missing from the jar: " + resource);
      }
      return DataFile.read("bundled " + file, in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
