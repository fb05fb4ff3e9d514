package io.github.kfac4j.cli.nqm;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.nqm.CriticalBatchSize;
import io.github.kfac4j.nqm.Method;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The subcommand {@code nqm critical}. */
@Command(
    name = "critical",
    mixinStandardHelpOptions = true,
    description = "The batch size at which a tuned run needs twice the examples of small batches.")
final class CriticalCommand extends NqmSubcommand {
  @Mixin private ModelOptions model;

  @Option(
      names = "--method",
      required = true,
      description = "One of: ${COMPLETION-CANDIDATES} (any case).")
  private Method method;

  @Option(
      names = "--target",
      paramLabel = "C",
      defaultValue = "0.01",
      description = "Risk to reach (default: ${DEFAULT-VALUE}).")
  private double target;

  /** The JSON document. */
  private record Document(
      String method,
      double power,
      double target,
      String spectrum,
      @JsonProperty("critical_batch_size") double criticalBatchSize) {}

  @Override
  int execute() {
    double critical = CriticalBatchSize.predict(model.load(), method, model.power, target);
    String name = method.name().toLowerCase(Locale.ROOT);
    print(
        new Document(name, model.power, target, model.spectrum, critical),
        String.format(Locale.ROOT, "%.0f (2^%.1f)%n", critical, Math.log(critical) / Math.log(2)));
    return ExitCode.OK;
  }
}
