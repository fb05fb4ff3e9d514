package io.github.kfac4j.cli.nqm;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.TextTable;
import io.github.kfac4j.nqm.Algorithm;
import io.github.kfac4j.nqm.Method;
import io.github.kfac4j.nqm.MonteCarlo;
import io.github.kfac4j.nqm.NoisyQuadratic;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The subcommand {@code nqm risk}. */
@Command(
    name = "risk",
    mixinStandardHelpOptions = true,
    description = "The expected loss after given numbers of steps with given hyperparameters.")
final class RiskCommand extends NqmSubcommand {
  @Mixin private ModelOptions model;

  @Option(
      names = "--method",
      required = true,
      description = "One of: ${COMPLETION-CANDIDATES} (any case).")
  private Method method;

  @Option(names = "--batch", required = true, paramLabel = "B", description = "Batch size.")
  private double batch;

  @Option(names = "--lr", required = true, paramLabel = "A", description = "Learning rate.")
  private double learningRate;

  @Option(
      names = "--decay",
      paramLabel = "D",
      defaultValue = "0",
      description = "Beta of momentum or gamma of the average (default: ${DEFAULT-VALUE}).")
  private double decay;

  @Option(
      names = "--steps",
      required = true,
      split = ",",
      paramLabel = "T",
      description = "Numbers of steps.")
  private List<Long> steps;

  @Option(
      names = "--trajectories",
      paramLabel = "N",
      description = "Also simulate this many random trajectories, as a check.")
  private Integer trajectories;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Of the simulation (default: ${DEFAULT-VALUE}).")
  private long seed;

  /** The JSON document. */
  private record Document(
      String method,
      double power,
      double batch,
      @JsonProperty("learning_rate") double learningRate,
      double decay,
      String spectrum,
      @JsonProperty("initial_risk") double initialRisk,
      @JsonProperty("steady_risk") double steadyRisk,
      List<Row> results) {}

  /** One number of steps. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  private record Row(
      long steps,
      double risk,
      @JsonProperty("upper_bound") double upperBound,
      @JsonProperty("simulated_risk") Double simulatedRisk,
      @JsonProperty("standard_error") Double standardError) {}

  @Override
  int execute() {
    NoisyQuadratic problem = new NoisyQuadratic(model.load(), model.power, batch);
    Algorithm algorithm = new Algorithm(method, learningRate, decay);
    List<Row> rows = steps.stream().map(t -> row(problem, algorithm, t)).toList();
    String name = method.name().toLowerCase(Locale.ROOT);
    Document document =
        new Document(
            name,
            model.power,
            batch,
            learningRate,
            decay,
            model.spectrum,
            problem.initialRisk(),
            problem.steadyRisk(algorithm),
            rows);
    print(document, text(document));
    return ExitCode.OK;
  }

  private Row row(NoisyQuadratic problem, Algorithm algorithm, long t) {
    double risk = problem.risk(algorithm, t);
    double bound = problem.upperBound(algorithm, t);
    if (trajectories == null) {
      return new Row(t, risk, bound, null, null);
    }
    if (t > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("too many steps to simulate: " + t);
    }
    MonteCarlo.Estimate estimate = MonteCarlo.risk(problem, algorithm, (int) t, trajectories, seed);
    return new Row(t, risk, bound, estimate.mean(), estimate.standardError());
  }

  private String text(Document document) {
    boolean simulated = trajectories != null;
    TextTable table =
        simulated
            ? new TextTable("steps", "risk", "upper bound", "simulated", "standard error")
            : new TextTable("steps", "risk", "upper bound");
    for (Row r : document.results) {
      if (simulated) {
        table.row(r.steps, r.risk, r.upperBound, r.simulatedRisk, r.standardError);
      } else {
        table.row(r.steps, r.risk, r.upperBound);
      }
    }
    return "%sat the start %.5g, in the end %.5g%n"
        .formatted(table, document.initialRisk, document.steadyRisk);
  }
}
