package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.Fp32Range;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.LayerReport.FactorReport;
import io.github.kfac4j.data.LayerReport.GroupReport;
import io.github.kfac4j.inversion.RobustDecomposition;
import io.github.kfac4j.options.InversePolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Eigenbases of factors: how they are asked for, and what happens when there is none. */
final class Bases {
  /**
   * A gradient is up to 2^50 ({@link Fp32Range#gradientExponent}), its norm up to 2^66: divided by
   * more than this it has room in fp32, in whatever precision its inner product is taken.
   */
  private static final double SMALL_DAMPING = 0x1p-60;

  private Bases() {}

  /** A request for the eigendecomposition of an average, with matrices of its own to close. */
  static DecomposeRequest request(Backend backend, LayerState state, StateKey factor) {
    return RobustDecomposition.request(backend, state.stack(factor), Factors.debias(state));
  }

  /**
   * The power of two by which the damped diagonal of a block is multiplied to be in the range of
   * fp32: mostly 0. U is then larger by the same power than what comes out.
   */
  static int shift(LayerState state, double scale, double lambda) {
    int exponent = state.exponent(KroneckerBases.MOMENTS);
    if (state.isDouble()) {
      return 0;
    }
    double size =
        exponent == 0 ? Math.max(1, lambda) : Math.max(Math.scalb(scale, exponent), lambda);
    return -Fp32Range.exponent(size);
  }

  /** Preconditions with shifted diagonals. */
  static List<Curvature.Result> precondition(
      Backend backend,
      List<Curvature.Request> requests,
      List<BasisPreconditionRequest> steps,
      List<Integer> shifts) {
    double[] inner = backend.preconditionInBasis(steps);
    List<Curvature.Result> results = new ArrayList<>();
    for (int i = 0; i < inner.length; i++) {
      Curvature.Result result = requests.get(i).result(inner[i], shifts.get(i));
      results.add(steps.get(i).damping() < SMALL_DAMPING ? result.withoutBound() : result);
    }
    return results;
  }

  /**
   * Counts a success, or a failure that an old basis makes up for.
   *
   * @param good whether there is a new basis
   * @param words what failed and what was done about it, empty if nothing
   * @return the status for the report
   * @throws InversionFailedException if there is no old basis, or it has served too often
   */
  static String resolve(LayerState state, boolean good, String words, InversePolicy policy) {
    if (good) {
      state.counters.staleRefreshes = 0;
      return words.isEmpty() ? LayerReport.OK : words;
    }
    if (!FactorInverses.canKeep(state, policy)) {
      throw new InversionFailedException(
          LayerState.prefix(state.name)
              + "the factors have no eigendecomposition ("
              + FactorInverses.outOfFallbacks(state, words, "basis"));
    }
    state.counters.staleRefreshes++;
    return words + ", old basis kept";
  }

  /**
   * Adds what rounding may cost a step in a basis, where that is more than inverses may be off. Of
   * the gradient of a small batch, which lies where the block is large, storage leaves u in all
   * directions, and the step divides it by the damping alone: relative to the step that is u times
   * the condition. Eigenvalues in fp64 are off by n u of the largest.
   */
  static String withError(LayerState state, double condition, String status) {
    int n = Math.max(state.layer.inputDim(), state.layer.outputDim());
    double error = condition * (state.isDouble() ? n * 0x1p-53 : 0x1p-24);
    if (!(error > InverseAccuracy.BOUND)) {
      return status;
    }
    String words = "block " + Status.inaccurate(error);
    return status.equals(LayerReport.OK) ? words : status + "; " + words;
  }

  /** The report of a layer whose block is damped as a whole, and diagonal in a basis. */
  static LayerReport report(LayerState state, double lambda, double[] diagonal, String status) {
    double smallest = Arrays.stream(diagonal).min().orElse(0);
    double largest = Arrays.stream(diagonal).max().orElse(0);
    double condition = (largest + lambda) / (smallest + lambda);
    int groups = state.layer.groups();
    FactorReport block = new FactorReport("block", FactorReport.Kind.BLOCK, lambda, condition);
    boolean rotated = state.has(KroneckerBases.G_BASIS);
    String words = rotated ? withError(state, condition, status) : status;
    GroupReport group = new GroupReport(Double.NaN, List.of(block), words);
    return new LayerReport(
        state.name,
        state.layer.inputDim(),
        state.layer.outputDim(),
        groups,
        Collections.nCopies(groups, group),
        0);
  }
}
