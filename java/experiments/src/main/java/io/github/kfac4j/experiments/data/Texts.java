package io.github.kfac4j.experiments.data;

import io.github.kfac4j.experiments.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Loads texts. They are read twice, line by line: for the vocabulary, which the first training
 * lines give, and for the tokens, which go to temporary files.
 */
final class Texts {
  /** Bytes of training text that a vocabulary is learned from. */
  private static final long LEARNED = 1 << 26;

  /** Of the draw that gives lines to validation and test; no option changes it. */
  private static final long SPLIT_SEED = 20_190_709;

  private static final int SPLIT = 20;

  private static final Pattern PLAIN = Pattern.compile(".*\\.txt(\\.gz)?");
  private static final String LM1B = "1-billion-word-language-modeling-benchmark-r13output";
  private static final Pattern SHARD = Pattern.compile("news\\.en-\\d{5}-of-00100(\\.gz)?");
  private static final int SHARDS = 99;

  private final String name;
  private final Path directory;
  private final TextForm form;
  private final List<Source> sources;
  private final String split;

  private enum Part {
    TRAIN,
    VALIDATION,
    TEST
  }

  /**
   * A file.
   *
   * @param part of the data set; null where a draw decides for each line
   */
  private record Source(Path file, Part part) {}

  private Texts(String name, Path directory, TextForm form, List<Source> sources, String split) {
    this.name = name;
    this.directory = directory;
    this.form = form;
    this.sources = sources;
    this.split = split;
  }

  /**
   * Plain text: every file {@code *.txt} of a folder, in the order of their names.
   *
   * @throws BadInputException if there is none, or a file is damaged or empty
   */
  static Dataset plain(Path directory, TextForm form) {
    List<Source> sources =
        find(directory, PLAIN).stream().map(file -> new Source(file, null)).toList();
    if (sources.isEmpty()) {
      throw new BadInputException(directory + " has no file *.txt[.gz]");
    }
    return new Texts(
            "text",
            directory,
            form,
            sources,
            "one line in %d drawn for validation and one for the test, always the same"
                .formatted(SPLIT))
        .load();
  }

  /**
   * The published shards of LM1B: those of training that are there, the first one held out for
   * validation and the second one for the test.
   *
   * @throws BadInputException if one is missing, damaged or empty
   */
  static Dataset lm1b(Path directory, TextForm form) {
    Path inner = directory.resolve(LM1B);
    Path root = Files.isDirectory(inner) ? inner : directory;
    Path training = root.resolve("training-monolingual.tokenized.shuffled");
    List<Source> sources = new ArrayList<>();
    if (Files.isDirectory(training)) {
      find(training, SHARD).forEach(file -> sources.add(new Source(file, Part.TRAIN)));
    }
    if (sources.isEmpty()) {
      throw new BadInputException(training + " has no file news.en-00001-of-00100[.gz]");
    }
    int shards = sources.size();
    sources.add(new Source(heldOut(root, 0), Part.VALIDATION));
    sources.add(new Source(heldOut(root, 1), Part.TEST));
    return new Texts(
            "lm1b",
            directory,
            form,
            sources,
            "%d of %d training shards; validation on the first one held out"
                .formatted(shards, SHARDS))
        .load();
  }

  private static Path heldOut(Path root, int number) {
    Path folder = root.resolve("heldout-monolingual.tokenized.shuffled");
    String file = "news.en.heldout-%05d-of-00050".formatted(number);
    return Stream.of(folder.resolve(file), folder.resolve(file + ".gz"))
        .filter(Files::isRegularFile)
        .findFirst()
        .orElseThrow(() -> new BadInputException("%s has no file %s[.gz]".formatted(folder, file)));
  }

  private static List<Path> find(Path directory, Pattern name) {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> name.matcher(file.getFileName().toString()).matches())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new BadInputException("%s cannot be read: %s".formatted(directory, e.getMessage()), e);
    }
  }

  private Dataset load() {
    Vocabulary vocabulary = learn();
    Map<Part, TokenFile> tokens = new EnumMap<>(Part.class);
    for (Part part : Part.values()) {
      tokens.put(part, new TokenFile());
    }
    read(
        (part, line) -> {
          TokenFile out = tokens.get(part);
          vocabulary.encode(
              line,
              word -> {
                for (char token : word) {
                  out.add(token);
                }
              });
          return true;
        });
    tokens.values().forEach(TokenFile::flush);
    return new Dataset(
        name,
        directory.toString(),
        "%s; sequences of %d tokens of %,d".formatted(split, form.length(), form.vocabulary()),
        sequences(tokens, Part.TRAIN),
        sequences(tokens, Part.VALIDATION),
        sequences(tokens, Part.TEST));
  }

  private Sequences sequences(Map<Part, TokenFile> tokens, Part part) {
    Sequences sequences = Sequences.of(tokens.get(part), form);
    if (sequences.count() == 0) {
      throw new BadInputException(
          "%s has too little text: %d tokens for %s, of which a sequence takes %d"
              .formatted(
                  directory,
                  tokens.get(part).count(),
                  part.name().toLowerCase(java.util.Locale.ROOT),
                  form.length() + 1));
    }
    return sequences;
  }

  private Vocabulary learn() {
    Map<String, Long> frequencies = new HashMap<>();
    long[] bytes = {0};
    read(
        (part, line) -> {
          if (part == Part.TRAIN) {
            Vocabulary.words(
                line,
                word -> {
                  frequencies.merge(word, 1L, Long::sum);
                  bytes[0] += word.length();
                });
          }
          return bytes[0] < LEARNED;
        });
    Vocabulary vocabulary = Vocabulary.learn(frequencies, form.vocabulary());
    if (vocabulary.size() < form.vocabulary()) {
      throw new BadInputException(
          "%s has too little text: it gives a vocabulary of %,d tokens, the network has %,d"
              .formatted(directory, vocabulary.size(), form.vocabulary()));
    }
    return vocabulary;
  }

  /** Reads line by line, until one is not accepted. */
  private void read(BiPredicate<Part, String> accept) {
    long[] number = {0};
    for (Source source : sources) {
      boolean all =
          TextFile.read(
              source.file,
              line -> accept.test(source.part == null ? draw(number[0]++) : source.part, line));
      if (!all) {
        return;
      }
    }
  }

  private static Part draw(long line) {
    return switch (new SplitMix64(SPLIT_SEED, line).nextInt(SPLIT)) {
      case 0 -> Part.VALIDATION;
      case 1 -> Part.TEST;
      default -> Part.TRAIN;
    };
  }
}
