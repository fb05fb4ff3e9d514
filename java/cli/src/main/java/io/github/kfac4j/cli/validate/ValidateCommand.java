package io.github.kfac4j.cli.validate;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.cli.common.KnownBackends;
import io.github.kfac4j.cli.common.KnownBackends.Availability;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.testkit.checks.BackendChecks;
import io.github.kfac4j.testkit.checks.Check;
import io.github.kfac4j.testkit.checks.Extent;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The subcommand {@code validate}. */
@Command(
    name = "validate",
    mixinStandardHelpOptions = true,
    description = {
      "Checks every verb of the backends on many shapes against the pure-Java fp64 backend.",
      "Tolerances: an inverse may be 3 times as wrong as that of plain fp32 Cholesky on the same"
          + " matrix; everything else a stated multiple of fp32 rounding, and copies exact.",
      "Exit code 1 if a check misses; 3 if a demanded backend, or every backend, is unavailable.",
      ""
    })
public final class ValidateCommand implements Callable<Integer> {
  private static final String ALL = "all";
  private static final String ORACLE = "java";

  @Spec private CommandSpec spec;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      defaultValue = ALL,
      description = "cpu, cuda or all that are available (default: all).")
  private String name;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed of the random data (default: 1).")
  private long seed;

  @ArgGroup(exclusive = true)
  private Size size = new Size();

  /** At most one of the two. */
  private static final class Size {
    @Option(names = "--small", description = "Leaves out the larger shapes: seconds.")
    private boolean small;

    @Option(
        names = "--large",
        description = {
          "Adds the layers of ResNet-50, its 108 factors and 10,000 matrices of 64 x 64:",
          "many minutes, and a heap of 8 GB (java -Xmx8g -jar kfac.jar validate --large)."
        })
    private boolean large;

    Extent extent() {
      return small ? Extent.SMALL : large ? Extent.LARGE : Extent.USUAL;
    }
  }

  @Mixin private JsonOption json;

  private final List<Availability> known;
  private final Function<String, Backend> open;

  /** For the command line. */
  public ValidateCommand() {
    this(KnownBackends.all(), KnownBackends::open);
  }

  /** Validates the given backends instead of those of this build. */
  ValidateCommand(List<Availability> known, Function<String, Backend> open) {
    this.known = known.stream().filter(backend -> !backend.name().equals(ORACLE)).toList();
    this.open = open;
  }

  @Override
  public Integer call() {
    List<Availability> chosen = chosen();
    PrintWriter out = spec.commandLine().getOut();
    Table table = json.enabled() ? null : new Table(out, seed);
    List<ValidateReport.OfBackend> outcomes = new ArrayList<>();
    for (Availability one : chosen) {
      List<Check> checks = one.available() ? run(one.name(), table) : List.of();
      outcomes.add(
          ValidateReport.OfBackend.of(
              one.name(), one.available(), one.reason(), one.details(), checks));
    }
    ValidateReport report = ValidateReport.of(seed, outcomes);
    if (table == null) {
      JsonOption.print(report, out);
    } else {
      table.summary(report);
    }
    return report.misses() == 0 ? ExitCode.OK : ExitCode.FAILED;
  }

  /** The backends to be listed; at least one of them is available. */
  private List<Availability> chosen() {
    List<Availability> chosen =
        known.stream().filter(one -> name.equals(ALL) || one.name().equals(name)).toList();
    if (chosen.isEmpty()) {
      throw new BadInputException(
          "unknown backend '%s'; known are %s and all"
              .formatted(name, known.stream().map(Availability::name).toList()));
    }
    if (chosen.stream().noneMatch(Availability::available)) {
      String reasons =
          chosen.stream()
              .map(one -> chosen.size() == 1 ? one.reason() : one.name() + ": " + one.reason())
              .collect(Collectors.joining("; "));
      throw new BackendUnavailableException(name, reasons);
    }
    return chosen;
  }

  private List<Check> run(String backendName, Table table) {
    List<Check> checks = new ArrayList<>();
    try (Backend backend = open.apply(backendName)) {
      BackendChecks.run(
          backend,
          seed,
          size.extent(),
          check -> {
            checks.add(check);
            if (table != null) {
              table.row(backendName, check);
            }
          });
    }
    return checks;
  }
}
