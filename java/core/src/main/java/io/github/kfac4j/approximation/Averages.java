package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.curvature.StateMatrix;
import io.github.kfac4j.reference.HostCopies;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.Samples;
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

  /** What one use of a layer in a batch adds to its averages. */
  interface EachUse {
    void add(Averages averages, Curvature.Batch batch, int use);
  }

  /**
   * Updates the averages of all batches by their first uses at once, then by their second ones: the
   * requests of one call must not share an average.
   */
  static void update(Backend backend, List<Curvature.Batch> batches, EachUse each) {
    int rounds = batches.stream().mapToInt(batch -> batch.uses().size()).max().orElse(0);
    for (int use = 0; use < rounds; use++) {
      Averages averages = new Averages(backend);
      for (Curvature.Batch batch : batches) {
        if (use < batch.uses().size()) {
          each.add(averages, batch, use);
        }
      }
      averages.run();
    }
  }

  /** {@code X = decay X + weight * (sum over rows x of x x')} for a factor. */
  void add(Curvature.Batch batch, StateKey key, double decay, double weight, Samples samples) {
    StateMatrix average = batch.state().matrix(key);
    if (fits(batch, average)) {
      moments.add(new AccumulateRequest(average.stack(), decay, weight, samples));
      return;
    }
    inDouble(
        average,
        (java, sum) ->
            java.accumulate(List.of(new AccumulateRequest(sum, decay, weight, samples))));
  }

  /** The same for moments in a basis; {@code moment} has the target in the state. */
  void add(Curvature.Batch batch, StateKey key, BasisAccumulateRequest moment) {
    StateMatrix average = batch.state().matrix(key);
    if (fits(batch, average)) {
      basisMoments.add(moment);
      return;
    }
    inDouble(
        average,
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

  private static boolean fits(Curvature.Batch batch, StateMatrix average) {
    return average.stack().isDouble() || !batch.wide() && average.exponent() == 0;
  }

  private static void inDouble(StateMatrix average, BiConsumer<Backend, MatrixStack> update) {
    MatrixStack like = average.stack();
    try (Backend java = new JavaBackend();
        MatrixStack sum = java.allocate(like.count(), like.rows(), like.cols())) {
      sum.set(average.values());
      update.accept(java, sum);
      average.set(sum.toArray());
    }
  }

  /** Runs what is left to the backend. */
  void run() {
    backend.accumulate(moments);
    backend.accumulateInBasis(basisMoments);
  }
}
