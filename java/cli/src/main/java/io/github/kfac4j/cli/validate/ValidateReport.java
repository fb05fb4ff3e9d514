package io.github.kfac4j.cli.validate;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.testkit.checks.Check;
import java.util.List;

/** The outcome for all backends, as the JSON document says it. */
record ValidateReport(long seed, int misses, List<OfBackend> backends) {

  /**
   * One backend.
   *
   * @param reason why it is not available; null if it is
   * @param details what it runs on; may be null
   * @param checks empty if it is not available
   */
  record OfBackend(
      String name,
      boolean available,
      @JsonInclude(JsonInclude.Include.NON_NULL) String reason,
      @JsonInclude(JsonInclude.Include.NON_NULL) String details,
      List<Row> checks) {
    static OfBackend of(
        String name, boolean available, String reason, String details, List<Check> checks) {
      return new OfBackend(name, available, reason, details, checks.stream().map(Row::of).toList());
    }

    int misses() {
      return (int) checks.stream().filter(check -> !check.ok()).count();
    }
  }

  /** A {@link Check}. */
  record Row(
      String verb,
      @JsonProperty("case") String what,
      Double error,
      Double tolerance,
      boolean ok,
      @JsonInclude(JsonInclude.Include.NON_NULL) String failure) {
    static Row of(Check check) {
      return new Row(
          check.verb(),
          check.what(),
          check.error(),
          check.tolerance(),
          check.ok(),
          check.failure());
    }
  }

  static ValidateReport of(long seed, List<OfBackend> backends) {
    return new ValidateReport(seed, backends.stream().mapToInt(OfBackend::misses).sum(), backends);
  }
}
