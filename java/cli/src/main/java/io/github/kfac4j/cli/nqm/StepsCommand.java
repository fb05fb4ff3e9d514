package io.github.kfac4j.cli.nqm;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.TextTable;
import io.github.kfac4j.nqm.InformationBound;
import io.github.kfac4j.nqm.Method;
import io.github.kfac4j.nqm.Spectrum;
import io.github.kfac4j.nqm.TunedRun;
import io.github.kfac4j.nqm.Tuner;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The subcommand {@code nqm steps}. */
@Command(
    name = "steps",
    mixinStandardHelpOptions = true,
    description = {
      "Steps to a target risk with the best hyperparameters of the published grid.",
      "As in the paper's figures, 'steps' is the last step before the target is reached."
    })
final class StepsCommand extends NqmSubcommand {
  @Mixin private ModelOptions model;

  @Option(
      names = "--method",
      required = true,
      description = "One of: ${COMPLETION-CANDIDATES} (any case).")
  private Method method;

  @Option(
      names = "--batch",
      required = true,
      split = ",",
      paramLabel = "B",
      description = "Batch sizes.")
  private List<Double> batches;

  @Option(
      names = "--target",
      paramLabel = "C",
      defaultValue = "0.01",
      description = "Risk to reach (default: ${DEFAULT-VALUE}).")
  private double target;

  @Option(
      names = "--decay",
      paramLabel = "D",
      description = "Hold beta of momentum or gamma of the average at this value.")
  private Double decay;

  @Option(names = "--refine", description = "Refine the best point between those of the grid.")
  private boolean refine;

  /** The JSON document. */
  private record Document(
      String method, double power, double target, String spectrum, List<Row> results) {}

  /** One batch size; null where the target is not reached. */
  private record Row(
      double batch,
      Long steps,
      Double crossing,
      @JsonProperty("learning_rate") Double learningRate,
      Double decay,
      @JsonProperty("effective_learning_rate") Double effectiveLearningRate,
      double bound) {}

  @Override
  int execute() {
    if (refine && decay != null) {
      throw new IllegalArgumentException("--refine and --decay exclude each other");
    }
    Spectrum spectrum = model.load();
    Tuner tuner = new Tuner(spectrum);
    List<Row> rows =
        batches.parallelStream().map(batch -> row(spectrum, batch, tune(tuner, batch))).toList();
    TextTable table = new TextTable("batch", "steps", "bound", "learning rate", "decay");
    rows.forEach(r -> table.row(r.batch, r.steps, r.bound, r.learningRate, r.decay));
    String name = method.name().toLowerCase(Locale.ROOT);
    print(new Document(name, model.power, target, model.spectrum, rows), table.toString());
    List<Double> missed = rows.stream().filter(r -> r.steps == null).map(Row::batch).toList();
    if (!missed.isEmpty()) {
      note("the target risk " + target + " is out of reach with batch size " + missed);
      return ExitCode.FAILED;
    }
    return ExitCode.OK;
  }

  private Optional<TunedRun> tune(Tuner tuner, double batch) {
    if (decay != null) {
      return tuner.tuneRate(method, decay, model.power, batch, target);
    }
    return refine
        ? tuner.tuneContinuously(method, model.power, batch, target)
        : tuner.tune(method, model.power, batch, target);
  }

  private Row row(Spectrum spectrum, double batch, Optional<TunedRun> found) {
    double bound = InformationBound.maximumLikelihoodSteps(spectrum, batch, target);
    if (found.isEmpty()) {
      return new Row(batch, null, null, null, null, null, bound);
    }
    TunedRun run = found.get();
    return new Row(
        batch,
        run.steps(),
        run.crossing(),
        run.algorithm().learningRate(),
        run.algorithm().decay(),
        run.algorithm().effectiveLearningRate(),
        bound);
  }
}
