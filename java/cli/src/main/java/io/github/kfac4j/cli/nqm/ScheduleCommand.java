package io.github.kfac4j.cli.nqm;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.TextTable;
import io.github.kfac4j.nqm.InformationBound;
import io.github.kfac4j.nqm.LearningRateSchedule;
import io.github.kfac4j.nqm.NoisyQuadratic;
import io.github.kfac4j.nqm.ScheduleOptimizer;
import io.github.kfac4j.nqm.Spectrum;
import io.github.kfac4j.nqm.TunedSchedule;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The subcommand {@code nqm schedule}. */
@Command(
    name = "schedule",
    mixinStandardHelpOptions = true,
    description = "The shortest piecewise-constant learning-rate schedule of SGD to a target risk.")
final class ScheduleCommand extends NqmSubcommand {
  @Mixin private ModelOptions model;

  @Option(
      names = "--pieces",
      paramLabel = "N",
      defaultValue = "50",
      description = "Pieces of equal length (default: ${DEFAULT-VALUE}).")
  private int pieces;

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

  /** The JSON document. */
  private record Document(double power, double target, String spectrum, List<Row> results) {}

  /** One batch size; null where the target is not reached. */
  private record Row(
      double batch,
      Long steps,
      @JsonProperty("steps_per_piece") Long stepsPerPiece,
      Double risk,
      double bound,
      @JsonProperty("steps_over_bound") Double stepsOverBound,
      @JsonProperty("learning_rates") double[] learningRates) {}

  @Override
  int execute() {
    Spectrum spectrum = model.load();
    List<Row> rows = batches.parallelStream().map(batch -> row(spectrum, batch)).toList();
    print(new Document(model.power, target, model.spectrum, rows), text(rows));
    List<Double> missed = rows.stream().filter(r -> r.steps == null).map(Row::batch).toList();
    if (!missed.isEmpty()) {
      note("the target risk " + target + " is out of reach with batch size " + missed);
      return ExitCode.FAILED;
    }
    return ExitCode.OK;
  }

  private Row row(Spectrum spectrum, double batch) {
    NoisyQuadratic problem = new NoisyQuadratic(spectrum, model.power, batch);
    Optional<TunedSchedule> found = new ScheduleOptimizer(problem).fewestSteps(pieces, target);
    double bound = InformationBound.maximumLikelihoodSteps(spectrum, batch, target);
    if (found.isEmpty()) {
      return new Row(batch, null, null, null, bound, null, null);
    }
    LearningRateSchedule schedule = found.get().schedule();
    return new Row(
        batch,
        schedule.steps(),
        schedule.stepsPerPiece(),
        found.get().risk(),
        bound,
        schedule.steps() / bound,
        schedule.learningRates());
  }

  private static String text(List<Row> rows) {
    TextTable table = new TextTable("batch", "steps", "steps per piece", "risk", "steps / bound");
    rows.forEach(r -> table.row(r.batch, r.steps, r.stepsPerPiece, r.risk, r.stepsOverBound));
    StringBuilder text = new StringBuilder(table.toString());
    for (Row row : rows) {
      if (row.learningRates != null) {
        text.append("learning rates for batch %s:".formatted(row.batch));
        for (double rate : row.learningRates) {
          text.append(String.format(Locale.ROOT, " %.4g", rate));
        }
        text.append(System.lineSeparator());
      }
    }
    return text.toString();
  }
}
