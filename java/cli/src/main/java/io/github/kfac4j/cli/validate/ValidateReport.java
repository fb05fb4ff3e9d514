package io.github.kfac4j.cli.validate;

import com.fasterxml.jackson.annotation.JsonInclude;
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
      List<Check> checks) {
    int misses() {
      return (int) checks.stream().filter(check -> !check.ok()).count();
    }
  }

  static ValidateReport of(long seed, List<OfBackend> backends) {
    return new ValidateReport(seed, backends.stream().mapToInt(OfBackend::misses).sum(), backends);
  }
}
