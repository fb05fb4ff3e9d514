package io.github.kfac4j.experiments.study.search;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.FolderLock;
import io.github.kfac4j.experiments.report.RunFolder;
import io.github.kfac4j.experiments.study.report.Picture;
import io.github.kfac4j.experiments.study.report.StudyPage;
import io.github.kfac4j.experiments.study.report.StudyReport;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.Trial;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import io.github.kfac4j.files.AtomicFile;
import io.github.kfac4j.files.RegularFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The folder of a study: what it is about, and a file for every finished trial. */
public final class StudyFolder implements AutoCloseable {
  private static final String FACTS = "study.json";

  /** The file with every evaluation. */
  static final String CURVES = "curves.csv";

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private static final int MAX_BYTES = 1 << 20; // of a JSON file

  private final Path path;
  private final FolderLock lock;
  private final Map<String, String> facts = new LinkedHashMap<>();
  private Map<String, TrialOutcome> table = Map.of();

  private StudyFolder(Path path, FolderLock lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Makes a folder, or opens that of the same study, and locks it. Trials that the table holds are
   * finished, so that a study can be continued from its tables alone.
   *
   * @param csv the file with every trial; null if there are none
   * @param facts what determines the results of the study, by option
   * @throws BadInputException if it holds another study, naming the first difference, is in use or
   *     cannot be written
   */
  public static StudyFolder open(Path out, String csv, Map<String, String> facts) {
    Path file = out.resolve(FACTS);
    try {
      Files.createDirectories(out);
      StudyFolder folder = new StudyFolder(out, FolderLock.take(out));
      try {
        folder.claim(facts, file);
        Files.createDirectories(folder.trials());
        AtomicFile.removeRemains(folder.trials());
        folder.table = csv == null ? Map.of() : table(out, csv);
        return folder;
      } catch (IOException | RuntimeException e) {
        folder.close();
        throw e;
      }
    } catch (IOException e) {
      throw new BadInputException(
          "--out %s cannot be written: %s".formatted(out, RunFolder.reason(e)), e);
    }
  }

  private static Map<String, TrialOutcome> table(Path folder, String csv) {
    Map<String, TrialOutcome> outcomes = new HashMap<>();
    read(folder, csv).forEach(result -> outcomes.put(result.trial().name(), result.outcome()));
    return outcomes;
  }

  /**
   * The trials in the tables of a study; none if there are no tables.
   *
   * @throws BadInputException if one is damaged
   */
  static List<Result> read(Path folder, String csv) {
    Path trials = folder.resolve(csv);
    Path curves = folder.resolve(CURVES);
    return Files.exists(trials)
        ? TrialsCsv.read(
            CsvRows.read(trials), Files.exists(curves) ? CsvRows.read(curves) : CsvRows.NONE)
        : List.of();
  }

  private void claim(Map<String, String> asked, Path file) throws IOException {
    if (Files.exists(file)) {
      facts.putAll(facts(path));
      requireSame(asked, facts);
    }
    facts.putAll(asked);
    write(FACTS, json(facts));
  }

  /**
   * What determines the results of the study in a folder, by option.
   *
   * @throws BadInputException if there is none, or its file is damaged
   */
  static Map<String, String> facts(Path folder) {
    return read(folder.resolve(FACTS), new TypeReference<Map<String, String>>() {});
  }

  private void requireSame(Map<String, String> facts, Map<String, String> stored) {
    facts.forEach(
        (option, value) -> {
          String old = stored.get(option);
          boolean added = old == null && option.startsWith(Settings.SEARCH_OF);
          if (!added && !value.equals(old)) {
            throw new BadInputException(
                "%s holds another study: its %s is %s and not %s; choose another --out"
                    .formatted(path, option, old, value));
          }
        });
  }

  private static <T> T read(Path file, TypeReference<T> type) {
    try {
      return MAPPER.readValue(RegularFile.read(file, MAX_BYTES), type);
    } catch (IOException e) {
      String line = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new BadInputException("%s is damaged: %s".formatted(file, line), e);
    }
  }

  private static byte[] json(Object content) throws IOException {
    return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(content);
  }

  private Path trials() {
    return path.resolve("trials");
  }

  private Path file(Trial trial) {
    return trials().resolve(trial.name() + ".json");
  }

  /**
   * The outcome of a trial, if it was finished before.
   *
   * @throws BadInputException if its file is damaged, or is about other values
   */
  Optional<TrialOutcome> outcome(Trial trial) {
    Path file = file(trial);
    boolean kept = Files.exists(file);
    TrialOutcome outcome =
        kept ? read(file, new TypeReference<TrialOutcome>() {}) : table.get(trial.name());
    if (outcome == null) {
      return Optional.empty();
    }
    if (!TrialOutcome.values(trial).equals(outcome.values())) {
      throw new BadInputException(
          "%s is about %s, not %s; remove it to repeat the trial"
              .formatted(kept ? file : trial.name(), outcome.values(), TrialOutcome.values(trial)));
    }
    return Optional.of(outcome);
  }

  /** Keeps a finished trial. */
  void keep(Result result) throws IOException {
    AtomicFile.write(file(result.trial()), json(result.outcome()));
  }

  /** Writes the pictures and the page of a report. */
  public void write(StudyReport report) throws IOException {
    for (Picture picture : report.pictures()) {
      write(picture.name() + ".png", picture.png());
    }
    write("report.html", StudyPage.of(report, facts));
  }

  /** Writes a text file in the folder; a reader sees the old content or the new. */
  public void write(String name, String text) throws IOException {
    write(name, text.getBytes(UTF_8));
  }

  /** Writes a binary file in the folder; a reader sees the old content or the new. */
  public void write(String name, byte[] content) throws IOException {
    AtomicFile.write(path.resolve(name), content);
  }

  /** What determines the results of the study, by option. */
  Map<String, String> facts() {
    return facts;
  }

  /** The folder itself. */
  public Path path() {
    return path;
  }

  /** Unlocks the folder. */
  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
