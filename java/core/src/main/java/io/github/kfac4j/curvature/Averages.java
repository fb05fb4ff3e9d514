package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Samples;
import io.github.kfac4j.reference.HostCopies;
import io.github.kfac4j.reference.JavaBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * Updates of running averages: by the backend, all at once, or in fp64 on the host where the
 * numbers have no room in fp32.
 */
public final class Averages {
  private final Backend backend;
  private final List<AccumulateRequest> moments = new ArrayList<>();
  private final List<BasisAccumulateRequest> basisMoments = new ArrayList<>();

  Averages(Backend backend) {
    this.backend = backend;
  }

  /** {@code X = decay X + weight * (sum over rows x of x x')} for a factor. */
  void add(Curvature.Batch batch, String key, double decay, double weight, Samples samples) {
    LayerState state = batch.state();
    if (fits(batch, key)) {
      moments.add(new AccumulateRequest(state.matrix(key), decay, weight, samples));
      return;
    }
    inDouble(
        state,
        key,
        (java, sum) ->
            java.accumulate(List.of(new AccumulateRequest(sum, decay, weight, samples))));
  }

  /** The same for moments in a basis; {@code moment} has the target in the state. */
  void add(Curvature.Batch batch, String key, BasisAccumulateRequest moment) {
    if (fits(batch, key)) {
      basisMoments.add(moment);
      return;
    }
    inDouble(
        batch.state(),
        key,
        (java, sum) -> {
          try (HostCopies copies = new HostCopies(java)) {
            java.accumulateInBasis(
                List.of(
                    new BasisAccumulateRequest(
                        sum,
                        moment.decay(),
                        moment.weight(),
                        moment.g(),
                        moment.a(),
                        copies.in(moment.gBasis()),
                        copies.in(moment.aBasis()))));
          }
        });
  }

  private static boolean fits(Curvature.Batch batch, String key) {
    LayerState state = batch.state();
    return state.matrix(key).isDouble() || !batch.wide() && state.exponent(key) == 0;
  }

  private static void inDouble(
      LayerState state, String key, BiConsumer<Backend, MatrixStack> update) {
    MatrixStack like = state.matrix(key);
    try (Backend java = new JavaBackend();
        MatrixStack sum = java.allocate(like.count(), like.rows(), like.cols())) {
      sum.set(state.values(key));
      update.accept(java, sum);
      state.setValues(key, sum.toArray());
    }
  }

  /** Runs what is left to the backend. */
  void run() {
    backend.accumulate(moments);
    backend.accumulateInBasis(basisMoments);
  }
}
