package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Eigendecomposition;
import io.github.kfac4j.backend.MatrixStack;

/** Eigenbases of factors: how they are asked for, and what happens when there is none. */
final class Bases {
  private Bases() {}

  /** A request for the eigendecomposition of an average, with matrices of its own to close. */
  static Eigendecomposition request(Backend backend, LayerState state, String factor) {
    MatrixStack source = state.matrix(factor);
    int n = source.rows();
    return new Eigendecomposition(
        source,
        Factors.debias(state),
        backend.allocate(source.count(), n, n),
        backend.allocate(source.count(), 1, n));
  }

  static void close(Eigendecomposition request) {
    request.vectors().close();
    request.values().close();
  }

  /**
   * Counts a success, or a failure that an old basis makes up for.
   *
   * @param failure in words, null for none
   * @return the status for the report
   * @throws InversionFailedException if there is no old basis, or it has served too often
   */
  static String settle(LayerState state, String failure, InversePolicy policy) {
    if (failure == null) {
      state.staleRefreshes = 0;
      return "ok";
    }
    if (!state.ready() || state.staleRefreshes >= policy.maxStale()) {
      throw new InversionFailedException(
          LayerState.prefix(state.name)
              + "the factors have no eigendecomposition ("
              + failure
              + "); lower the learning rate");
    }
    state.staleRefreshes++;
    return failure + ", old basis kept";
  }
}
