package io.github.kfac4j.cli.validate;

import io.github.kfac4j.testkit.checks.Check;
import java.io.PrintWriter;

/** Prints checks as rows of a table, each as soon as it is done. */
final class Table {
  private static final String ROW = "%-7s  %-19s  %-66s  %9s  %9s  %s%n";

  private final PrintWriter out;

  Table(PrintWriter out, long seed) {
    this.out = out;
    out.printf("seed %d; errors are relative, against the fp64 backend java%n%n", seed);
    out.printf(ROW, "backend", "verb", "case", "error", "tolerance", "verdict");
    out.flush();
  }

  void row(String backend, Check check) {
    String verdict = check.ok() ? "ok" : "MISS";
    out.printf(
        ROW,
        backend,
        check.verb(),
        check.what(),
        number(check.error()),
        number(check.tolerance()),
        check.failure() == null ? verdict : verdict + ": " + check.failure());
    out.flush();
  }

  private static String number(Double value) {
    return value == null ? "-" : value == 0 ? "0" : "%.2e".formatted(value);
  }

  void summary(ValidateReport report) {
    out.println();
    for (ValidateReport.OfBackend backend : report.backends()) {
      if (backend.available()) {
        out.printf(
            "%s: %d of %d checks passed%s%n",
            backend.name(),
            backend.checks().size() - backend.misses(),
            backend.checks().size(),
            backend.details() == null ? "" : " (" + backend.details() + ")");
      } else {
        out.printf("%s: not available: %s%n", backend.name(), backend.reason());
      }
    }
    out.flush();
  }
}
