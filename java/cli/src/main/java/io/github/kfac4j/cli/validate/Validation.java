package io.github.kfac4j.cli.validate;

import io.github.kfac4j.backend.Backend;
import java.util.function.Consumer;

/** All checks of one backend. */
final class Validation {
  private Validation() {}

  /**
   * Runs them one after the other.
   *
   * @param large adds the factors of ResNet-50, which take minutes
   * @param results is told of each check when it is done
   */
  static void run(Backend backend, long seed, boolean large, Consumer<Check> results) {
    Comparison comparison = new Comparison(backend, seed, results);
    MatrixChecks.run(comparison);
    new MomentChecks(comparison).run(large);
    new BasisChecks(comparison).run();
    new InversionChecks(comparison).run(large);
    new EigenChecks(comparison).run(large);
    new PreconditioningChecks(comparison).run(large);
  }
}
