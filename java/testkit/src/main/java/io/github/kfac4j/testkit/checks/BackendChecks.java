package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.Backend;
import java.util.function.Consumer;

/** What every backend must do, in groups of related verbs. */
public enum BackendChecks {
  /** Stacks, traces, scaling, what is not finite. */
  MATRICES((comparison, extent) -> MatrixChecks.run(comparison, extent)),
  /** The largest absolute value. */
  RANGE((comparison, extent) -> RangeChecks.run(comparison)),
  /** Patches and second moments. */
  MOMENTS((comparison, extent) -> new MomentChecks(comparison).run(extent)),
  /** Second moments in a basis. */
  BASIS_MOMENTS((comparison, extent) -> new BasisChecks(comparison).run(extent)),
  /** Damped inverses. */
  INVERSES((comparison, extent) -> new InversionChecks(comparison).run(extent)),
  /** What the status of an inverse promises. */
  INVERSE_ACCURACY((comparison, extent) -> new InverseAccuracyChecks(comparison).run(extent)),
  /** Eigendecompositions. */
  EIGENVALUES((comparison, extent) -> new EigenChecks(comparison).run(extent)),
  /** Bases that are renewed, by backends that can. */
  RENEWALS((comparison, extent) -> new RenewalChecks(comparison).run(extent)),
  /** Whole steps by eigendecompositions. */
  EIGEN_STEPS((comparison, extent) -> new EigenStepChecks(comparison).run(extent)),
  /** Products of inverses with gradients. */
  PRECONDITIONING((comparison, extent) -> new PreconditioningChecks(comparison).run(extent)),
  /** Whole steps by inverses. */
  FACTORED_STEPS((comparison, extent) -> new FactoredStepChecks(comparison).run()),
  /** Gradients divided in a basis. */
  BASIS_PRECONDITIONING(
      (comparison, extent) -> new BasisPreconditioningChecks(comparison).run(extent));

  private interface Checks {
    void run(Comparison comparison, Extent extent);
  }

  private final Checks checks;

  BackendChecks(Checks checks) {
    this.checks = checks;
  }

  /**
   * Runs the checks of this group one after the other.
   *
   * @param candidate the backend under test
   * @param reference a backend that is right: that of the core, or a {@link
   *     io.github.kfac4j.testkit.LiteralBackend} for that one
   * @param extent how large the shapes get
   * @param results is told of each check when it is done
   */
  public void run(
      Backend candidate, Backend reference, long seed, Extent extent, Consumer<Check> results) {
    checks.run(new Comparison(candidate, reference, seed, results), extent);
  }
}
