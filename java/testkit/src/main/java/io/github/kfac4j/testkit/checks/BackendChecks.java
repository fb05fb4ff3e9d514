package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.Backend;
import java.util.function.Consumer;

/** All checks of one backend. */
public final class BackendChecks {
  private BackendChecks() {}

  /**
   * Runs them one after the other.
   *
   * @param extent how large the shapes get
   * @param results is told of each check when it is done
   */
  public static void run(Backend backend, long seed, Extent extent, Consumer<Check> results) {
    Comparison comparison = new Comparison(backend, seed, results);
    MatrixChecks.run(comparison, extent);
    new MomentChecks(comparison).run(extent);
    new BasisChecks(comparison).run(extent);
    new InversionChecks(comparison).run(extent);
    new EigenChecks(comparison).run(extent);
    new PreconditioningChecks(comparison).run(extent);
  }
}
