package io.github.kfac4j.distributed.sharing;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.collectives.CountingCollectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.collectives.Ranks;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What goes over the wire, counted. */
class TrafficTest {
  private static final KfacOptions OPTIONS = TrainingScenario.OPTIONS;

  private static Assignment balanced(int ranks) {
    return Assignment.balanced(LayerCost.cubic(Mlp.layers()), ranks);
  }

  @Test
  void bytesOnTheWireAreThoseOfTheFormula() {
    int ranks = 3;
    var counted =
        Ranks.run(
            ranks,
            c -> {
              var counting = new CountingCollectives(c);
              var kfac = DistributedKfac.of(counting, new JavaBackend(), Mlp.layers(), OPTIONS);
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              Mlp network = new Mlp();
              network.forwardBackward(0, shard[0], shard[1]);
              long start = counting.bytes();
              kfac.observe(network.observations());
              kfac.refresh();
              long refreshed = counting.bytes();
              kfac.precondition(network.gradients());
              long end = counting.bytes();
              kfac.close();
              return new long[] {refreshed - start, end - refreshed};
            });
    Traffic traffic = Traffic.of(Mlp.layers(), balanced(ranks), Precision.FP32);
    long statistics = counted.stream().mapToLong(c -> c[0]).sum();
    long gradients = counted.stream().mapToLong(c -> c[1]).sum();
    // beside the numbers go short messages: who is well, and reports
    assertThat(statistics - traffic.statistics()).isBetween(1L, 2000L);
    assertThat(gradients - traffic.gradients() - traffic.preconditioned()).isBetween(1L, 1000L);
    // sum of n (n + 1) / 2 over the factors, to two other ranks, four bytes each
    long packed = 8 * 9 / 2 + 20 * 21 / 2 + 21 * 22 / 2 + 3 * 4 / 2 + 4 * 5 / 2 + 5 * 6 / 2;
    assertThat(traffic.statistics()).isEqualTo(4 * 2 * packed);
    long weights = 20 * 8 + 3 * 21 + 5 * 4;
    assertThat(traffic.gradients()).isEqualTo(4 * 2 * weights);
    assertThat(traffic.preconditioned()).isEqualTo(4 * 2 * weights);
  }

  @Test
  void sumsOfAAreOnTheirWayBeforeTheBackwardPassAndAddNoBytes() {
    Traffic traffic = Traffic.of(Mlp.layers(), balanced(2), Precision.FP32);
    var bytes =
        Ranks.run(
            2,
            c -> {
              var counting = new CountingCollectives(c);
              var kfac = DistributedKfac.of(counting, new JavaBackend(), Mlp.layers(), OPTIONS);
              Mlp network = new Mlp();
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              network.forwardBackward(0, shard[0], shard[1]);
              long start = counting.bytes();
              kfac.observeInputs(network.inputObservations(), Share.ALL);
              long sent = counting.bytes();
              kfac.observe(network.observations());
              kfac.refresh();
              long end = counting.bytes();
              kfac.close();
              return new long[] {sent - start, end - start};
            });
    long inputs = 4 * (8 * 9 / 2 + 21 * 22 / 2 + 4 * 5 / 2);
    assertThat(bytes.stream().mapToLong(b -> b[0]).sum()).isEqualTo(inputs);
    long all = bytes.stream().mapToLong(b -> b[1]).sum();
    assertThat(all - traffic.statistics()).as("short messages").isBetween(1L, 2000L);
  }

  /** A of a table of 50 rows is 50 numbers, not 50 x 50. */
  @Test
  void ofAnEmbeddingTravelsADiagonal() {
    Map<String, Layer> layers = new LinkedHashMap<>();
    layers.put("table", new Embedding(50, 3));
    layers.put("fc", new Dense(3, 4, false));
    var counted =
        Ranks.run(
            2,
            c -> {
              var counting = new CountingCollectives(c);
              try (var kfac = DistributedKfac.of(counting, new JavaBackend(), layers, OPTIONS)) {
                kfac.observe(
                    List.of(
                        Observation.ofSumLoss(
                            "table",
                            HostTensor.of(new double[] {7, c.rank()}, 2),
                            HostTensor.of(new double[] {1, 2, 3, 4, 5, 6}, 2, 3)),
                        Observation.ofSumLoss(
                            "fc",
                            HostTensor.of(new double[] {1, 2, 3}, 1, 3),
                            HostTensor.of(new double[] {1, 2, 3, 4}, 1, 4))));
                long start = counting.bytes();
                kfac.refresh();
                return counting.bytes() - start;
              }
            });
    long packed = 50 + 3 * 4 / 2 + 3 * 4 / 2 + 4 * 5 / 2;
    Traffic traffic =
        Traffic.of(layers, Assignment.balanced(LayerCost.cubic(layers), 2), Precision.FP32);
    assertThat(traffic.statistics()).isEqualTo(4 * packed);
    assertThat(counted.get(0) + counted.get(1) - traffic.statistics()).isBetween(1L, 2000L);
    // 50 divisions are about as many operations as a 4 x 4 inverse
    assertThat(LayerCost.cubic(layers).get(0).cost()).isEqualTo(4 * 4 * 4 + 3 * 3 * 3);
  }

  @ParameterizedTest(name = "{0} ranks, {1} workers a layer, {2}")
  @CsvSource({"4, 1, FP32", "4, 2, FP32", "4, 4, FP32", "6, 3, FP32", "6, 2, FP16", "3, 1, FP16"})
  void gradientsWithSeveralWorkers(int ranks, int workers, Precision precision) {
    Assignment assignment = balanced(ranks).withWorkerFraction((double) workers / ranks);
    var counted =
        Ranks.run(
            ranks,
            c -> {
              var counting = new CountingCollectives(c);
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              Mlp network = new Mlp();
              try (var kfac =
                  new DistributedKfac(
                      counting, new JavaBackend(), Mlp.layers(), OPTIONS, assignment, precision)) {
                network.forwardBackward(0, shard[0], shard[1]);
                kfac.observe(network.observations());
                kfac.refresh();
                long start = counting.bytes();
                kfac.precondition(network.gradients());
                return counting.bytes() - start;
              }
            });
    long gradients = counted.stream().mapToLong(c -> c).sum();
    Traffic traffic = Traffic.of(Mlp.layers(), assignment, precision);
    long shortMessages = gradients - traffic.gradients() - traffic.preconditioned();
    // two agreements: each rank sends a number and some bytes to the others
    assertThat(shortMessages).isBetween(1L, 100L * ranks * (ranks - 1));
  }
}
