package io.github.kfac4j.experiments.study.search;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import io.github.kfac4j.experiments.study.report.StudyReport;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A study as its tables hold it, without data set or training.
 *
 * @param folder where they are
 * @param facts what determines its results, by option
 * @param settings what reports need of them
 * @param images training images
 * @param results every trial
 */
public record StoredStudy(
    Path folder, Map<String, String> facts, Settings settings, int images, List<Result> results) {
  /** The fact that says how many training images there are. */
  static final String IMAGES = "training images";

  /**
   * Reads the tables.
   *
   * @param csv the file with every trial
   * @throws BadInputException if the folder does not hold a study, or a file is damaged
   */
  public static StoredStudy read(Path folder, String csv) {
    Map<String, String> facts = StudyFolder.facts(folder);
    List<String> needed = List.of("data", IMAGES, "--target-on", "--run-to-end", "budget");
    for (String fact : needed) {
      if (!facts.containsKey(fact)) {
        throw new BadInputException(
            "%s: its study.json does not say '%s': it is of an earlier version"
                .formatted(folder, fact));
      }
    }
    return new StoredStudy(
        folder,
        facts,
        Settings.read(facts),
        (int) OptionText.number(IMAGES, facts.get(IMAGES)),
        StudyFolder.read(folder, csv));
  }

  /**
   * What a folder says of its study; {@code study} is the kind, as in {@link Study.Plan#name}.
   *
   * @throws BadInputException if it is not the folder of a study
   */
  public static Map<String, String> facts(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new BadInputException("%s is not the folder of a study".formatted(folder));
    }
    return StudyFolder.facts(folder);
  }

  /** Makes pictures and page anew. */
  public StudyReport write(Study.Plan plan) throws IOException {
    StudyReport report = plan.report(results, settings, images);
    try (StudyFolder open = StudyFolder.open(folder, plan.csvName(), facts)) {
      open.write(report);
    }
    return report;
  }
}
