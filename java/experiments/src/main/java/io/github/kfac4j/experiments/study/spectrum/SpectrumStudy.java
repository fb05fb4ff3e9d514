package io.github.kfac4j.experiments.study.spectrum;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.curvature.CurvatureRun;
import io.github.kfac4j.experiments.curvature.CurvatureSnapshot;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.Hyperparameters;
import io.github.kfac4j.experiments.options.KfacKey;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.study.batchsize.BatchSizeClaims;
import io.github.kfac4j.experiments.study.batchsize.BatchSizeClaims.Critical;
import io.github.kfac4j.experiments.study.report.StudyReport;
import io.github.kfac4j.experiments.study.report.Verdict;
import io.github.kfac4j.experiments.study.search.StoredStudy;
import io.github.kfac4j.experiments.study.search.StudyFolder;
import io.github.kfac4j.experiments.train.History;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The curvature that K-FAC measures in one training (Zhang et al., 2019, figures 9, 10 and 12), and
 * the critical batch sizes that the noisy quadratic model predicts from it.
 *
 * @param options of the training, which ends with the last measurement
 * @param at steps after which to measure, ascending
 * @param examples training images that each measurement looks at
 */
public record SpectrumStudy(RunOptions options, List<Long> at, int examples) {
  /** The kind, as study.json has it. */
  public static final String NAME = "spectrum";

  private static final String LOSS = "--target-loss";

  /**
   * Checks the numbers.
   *
   * @throws BadInputException naming the option and the value
   */
  public SpectrumStudy {
    at = List.copyOf(at);
    if (at.isEmpty() || at.get(0) < 1 || !at.stream().sorted().distinct().toList().equals(at)) {
      throw new BadInputException("--at must be ascending steps from 1 on, got " + at);
    }
    if (examples < 2) {
      throw new BadInputException("--examples must be at least 2, got " + examples);
    }
    CurvatureRun.requireMeasurable(options.workload().model());
    options.requireSettings();
  }

  /**
   * Settings of a network: the true Fisher, whose steps need a bound, from factors of every step.
   */
  public static Hyperparameters usual(ModelName model) {
    Hyperparameters usual = Hyperparameters.defaults(model);
    return usual.with(
        usual
            .kfac()
            .with(KfacKey.FISHER, "mc")
            .with(KfacKey.KL_CLIP, "1e-2")
            .with(KfacKey.INTERVALS, "1:1"));
  }

  /**
   * Trains and writes tables, spectra for {@code nqm} and the report; returns what it says.
   *
   * @param beside folder of a study of batch sizes whose critical ones are drawn beside; or null
   * @param onStep is told after every step
   */
  public StudyReport run(
      Dataset data, Backend backend, Path out, Path beside, Consumer<History> onStep)
      throws IOException {
    Map<String, String> facts = facts(data, backend.name());
    List<Critical> measured = measured(beside);
    if (examples > data.train().count()) {
      throw new BadInputException(
          "--examples %d is more than the %d training images"
              .formatted(examples, data.train().count()));
    }
    try (StudyFolder folder = StudyFolder.open(out, null, facts)) {
      List<RankedSpectrum> spectra = new ArrayList<>();
      List<Direction> directions = new ArrayList<>();
      for (CurvatureSnapshot snapshot :
          CurvatureRun.train(options, at, examples, data, backend, onStep)) {
        spectra.add(RankedSpectrum.of(snapshot));
        directions.addAll(Direction.of(snapshot));
      }
      SpectrumTables tables = new SpectrumTables(spectra, directions);
      folder.write(SpectrumTables.SNAPSHOTS, tables.snapshots());
      folder.write(SpectrumTables.SPECTRUM, tables.spectrum());
      folder.write(SpectrumTables.DIRECTIONS, tables.directionsCsv());
      return report(folder, facts, measured);
    }
  }

  private Map<String, String> facts(Dataset data, String backend) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("study", NAME);
    facts.put("data", data.describe());
    facts.put("--model", options.workload().model().toString());
    facts.put("--optimizer", options.optimizers().get(0).toString());
    facts.put("--backend", backend);
    facts.put("--batch", String.valueOf(options.batch()));
    facts.put("--at", at.toString());
    facts.put("--examples", String.valueOf(examples));
    facts.put(LOSS, String.valueOf(options.goal().loss()));
    facts.put("--lr", options.hyperparameters().learningRates().toString());
    facts.put("--damping", options.hyperparameters().dampings().toString());
    facts.put("--kfac", options.hyperparameters().kfac().toString());
    facts.put("--seed", String.valueOf(options.seed()));
    return facts;
  }

  private static List<Critical> measured(Path beside) {
    return beside == null
        ? List.of()
        : BatchSizeClaims.critical(StoredStudy.read(beside, "steps.csv"));
  }

  /** Makes spectra and report anew from the tables in a folder. */
  public static StudyReport stored(Path out, Path beside) throws IOException {
    Map<String, String> facts = StoredStudy.facts(out);
    try (StudyFolder folder = StudyFolder.open(out, null, facts)) {
      return report(folder, facts, measured(beside));
    }
  }

  private static StudyReport report(
      StudyFolder folder, Map<String, String> facts, List<Critical> measured) throws IOException {
    SpectrumTables tables = SpectrumTables.read(folder.path());
    List<PredictedBatch> predicted = new ArrayList<>();
    for (RankedSpectrum spectrum : tables.spectra()) {
      String name = "spectrum-%d.txt".formatted(spectrum.step());
      folder.write(name, spectrum.text());
      if (!facts.getOrDefault(LOSS, "null").equals("null")) {
        predicted.addAll(
            PredictedBatch.of(
                spectrum.step(), folder.path().resolve(name), Double.parseDouble(facts.get(LOSS))));
      }
    }
    String title =
        "The curvature that K-FAC measures: %s, %s"
            .formatted(facts.get("--model"), facts.get("data").split(":")[0]);
    StudyReport report = new SpectrumReport(tables, predicted, measured).of(title);
    folder.write(report);
    return report;
  }

  /** What the tables in a folder say of the claims of Zhang et al. */
  public static List<Verdict> claims(Path folder) {
    if (!Files.exists(folder.resolve(SpectrumTables.SNAPSHOTS))) {
      return List.of();
    }
    return SpectrumClaims.of(SpectrumTables.read(folder));
  }
}
