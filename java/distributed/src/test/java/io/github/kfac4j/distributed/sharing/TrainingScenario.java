package io.github.kfac4j.distributed.sharing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import java.util.ArrayList;
import java.util.List;

/** Trains {@link Mlp} on one process and on ranks; for any engine. */
public final class TrainingScenario {
  public static final int BATCH = 12;
  public static final int STEPS = 6;

  /** Intervals that differ, decay, and a clip that bites. */
  public static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDamping(0.1).withDecay(0.9).withIntervals(1, 2).withKlClip(1e-3, 0.5);

  /** How a batch is divided: the first example of each rank, and the end. */
  public interface Shards {
    int[] bounds(int ranks);
  }

  public static final Shards EVEN = ranks -> bounds(ranks, 0);

  /** Rank 0 has most of it; the last of several ranks has nothing. */
  public static final Shards UNEVEN = ranks -> bounds(ranks, 1);

  private TrainingScenario() {}

  private static int[] bounds(int ranks, int unevenness) {
    int[] bounds = new int[ranks + 1];
    for (int r = 0; r <= ranks; r++) {
      bounds[r] = BATCH * r / ranks;
    }
    if (unevenness > 0 && ranks > 1) {
      for (int r = 1; r < ranks; r++) {
        bounds[r] = Math.min(BATCH, 7 + 2 * r);
      }
      bounds[ranks - 1] = BATCH;
    }
    return bounds;
  }

  /** Steps {@code [from, to)}; returns the reports. */
  public static List<StepReport> train(
      Mlp network, KfacPreconditioner kfac, int from, int to, int[] shard) {
    return train(network, kfac, from, to, shard, false);
  }

  /** The same, with or without inputs before the backward pass. */
  public static List<StepReport> train(
      Mlp network, KfacPreconditioner kfac, int from, int to, int[] shard, boolean early) {
    List<StepReport> reports = new ArrayList<>();
    for (int step = from; step < to; step++) {
      network.forwardBackward(step, shard[0], shard[1]);
      if (kfac.wantsObservations() && early) {
        kfac.observeInputs(network.inputObservations(), Share.ALL);
      }
      if (kfac.wantsObservations()) {
        kfac.observe(network.observations());
      }
      if (kfac.wantsRefresh()) {
        kfac.refresh();
      }
      List<LayerGradient> gradients = network.gradients();
      reports.add(kfac.precondition(gradients));
      network.update(gradients);
    }
    return reports;
  }

  public static List<double[]> serial(KfacOptions options) {
    Mlp network = new Mlp();
    try (Kfac kfac = new Kfac(new JavaBackend(), Mlp.layers(), options)) {
      train(network, kfac, 0, STEPS, new int[] {0, BATCH});
    }
    return network.weights();
  }

  public static int[] shard(Collectives c, Shards shards) {
    int[] bounds = shards.bounds(c.size());
    return new int[] {bounds[c.rank()], bounds[c.rank() + 1]};
  }

  public static List<double[]> distributed(
      Collectives c, Shards shards, KfacOptions options, Assignment assignment, Precision p) {
    Mlp network = new Mlp();
    int[] shard = shard(c, shards);
    try (DistributedKfac kfac =
        new DistributedKfac(c, new JavaBackend(), Mlp.layers(), options, assignment, p)) {
      kfac.setExamples(shard[1] - shard[0]);
      train(network, kfac, 0, STEPS, shard);
    }
    return network.weights();
  }

  public static void assertClose(List<double[]> actual, List<double[]> expected, double tolerance) {
    for (int l = 0; l < expected.size(); l++) {
      for (int i = 0; i < expected.get(l).length; i++) {
        assertThat(actual.get(l)[i])
            .as("layer %d, element %d", l, i)
            .isCloseTo(expected.get(l)[i], within(tolerance));
      }
    }
  }

  public static void assertSame(List<List<double[]>> ranks) {
    for (List<double[]> one : ranks) {
      for (int l = 0; l < one.size(); l++) {
        assertThat(one.get(l)).containsExactly(ranks.get(0).get(l));
      }
    }
  }
}
