package io.github.kfac4j.distributed.sharing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.collectives.Ranks;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Ranks train as one process does. */
class DistributedKfacTest {
  private static final KfacOptions OPTIONS = TrainingScenario.OPTIONS;

  private static Assignment balanced(int ranks) {
    return Assignment.balanced(LayerCost.cubic(Mlp.layers()), ranks);
  }

  private static void sameAsSerial(
      int ranks,
      TrainingScenario.Shards shards,
      KfacOptions options,
      BiFunction<List<LayerCost>, Integer, Assignment> assign) {
    List<LayerCost> costs = LayerCost.cubic(Mlp.layers());
    var results =
        Ranks.run(
            ranks,
            c ->
                TrainingScenario.distributed(
                    c, shards, options, assign.apply(costs, ranks), Precision.FP32));
    TrainingScenario.assertSame(results);
    TrainingScenario.assertClose(results.get(0), TrainingScenario.serial(options), 1e-6);
  }

  static Stream<Arguments> jobs() {
    return IntStream.of(1, 2, 3, 4, 6)
        .boxed()
        .flatMap(
            ranks ->
                Stream.of(
                    Arguments.of(ranks, "even", TrainingScenario.EVEN),
                    Arguments.of(ranks, "uneven", TrainingScenario.UNEVEN)));
  }

  @ParameterizedTest(name = "{0} ranks, {1} shards")
  @MethodSource("jobs")
  void anyNumberOfRanksTrainsAsOneProcess(int ranks, String name, TrainingScenario.Shards shards) {
    sameAsSerial(ranks, shards, OPTIONS, Assignment::balanced);
    sameAsSerial(ranks, shards, OPTIONS, Assignment::contiguous);
    sameAsSerial(ranks, shards, OPTIONS, Assignment::roundRobin);
  }

  @ParameterizedTest
  @EnumSource(Convention.class)
  void everyConvention(Convention convention) {
    KfacOptions options = OPTIONS.withConvention(convention).withDamping(1);
    sameAsSerial(3, TrainingScenario.UNEVEN, options, Assignment::balanced);
  }

  @Test
  void exactDampingDiagonalAndBurnIn() {
    KfacOptions exact = OPTIONS.withDampingMode(DampingMode.EXACT);
    sameAsSerial(3, TrainingScenario.UNEVEN, exact, Assignment::balanced);
    KfacOptions diagonal = OPTIONS.withApproximation("fc1", Approximation.DIAGONAL);
    sameAsSerial(
        3,
        TrainingScenario.UNEVEN,
        diagonal.withDampingMode(DampingMode.EXACT),
        Assignment::balanced);
    KfacOptions burnIn = OPTIONS.withIntervals(Intervals.of(2, 2).withBurnIn(2));
    sameAsSerial(3, TrainingScenario.UNEVEN, burnIn, Assignment::balanced);
  }

  /** A travels while the backward pass runs; that of a diagonal layer cannot. */
  @ParameterizedTest
  @EnumSource(Convention.class)
  void inputsBeforeTheBackwardPassGiveTheSame(Convention convention) {
    KfacOptions options =
        OPTIONS
            .withConvention(convention)
            .withDamping(1)
            .withDampingMode(DampingMode.EXACT)
            .withApproximation(
                "fc1",
                convention == Convention.KFAC_PYTORCH
                    ? Approximation.KRONECKER
                    : Approximation.DIAGONAL);
    var weights =
        Ranks.run(
            4,
            c -> {
              Mlp network = new Mlp();
              int[] shard = TrainingScenario.shard(c, TrainingScenario.UNEVEN);
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), options)) {
                kfac.setExamples(shard[1] - shard[0]);
                TrainingScenario.train(network, kfac, 0, TrainingScenario.STEPS, shard, true);
              }
              return network.weights();
            });
    TrainingScenario.assertSame(weights);
    TrainingScenario.assertClose(weights.get(0), TrainingScenario.serial(options), 1e-6);
  }

  @ParameterizedTest(name = "{0} ranks, {1} workers a layer")
  @CsvSource({"2, 2", "4, 2", "4, 4", "6, 2", "6, 3", "6, 6"})
  void moreWorkersChangeNothing(int ranks, int workers) {
    double fraction = (double) workers / ranks;
    sameAsSerial(
        ranks,
        TrainingScenario.UNEVEN,
        OPTIONS,
        (costs, p) -> Assignment.balanced(costs, p).withWorkerFraction(fraction));
    Assignment assignment = balanced(ranks).withWorkerFraction(fraction);
    var half =
        Ranks.run(
            ranks,
            c ->
                TrainingScenario.distributed(
                    c, TrainingScenario.EVEN, OPTIONS, assignment, Precision.FP16));
    TrainingScenario.assertSame(half);
  }

  @Test
  void halfPrecisionIsNear() {
    var results =
        Ranks.run(
            3,
            c ->
                TrainingScenario.distributed(
                    c, TrainingScenario.EVEN, OPTIONS, balanced(3), Precision.FP16));
    TrainingScenario.assertSame(results);
    TrainingScenario.assertClose(results.get(0), TrainingScenario.serial(OPTIONS), 1e-3);
  }

  @Test
  void reportsAreThoseOfOneProcess() {
    List<StepReport> serial;
    try (Kfac kfac = new Kfac(new JavaBackend(), Mlp.layers(), OPTIONS)) {
      serial = TrainingScenario.train(new Mlp(), kfac, 0, 3, new int[] {0, 12});
    }
    var ranks =
        Ranks.run(
            2,
            c -> {
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
                return TrainingScenario.train(new Mlp(), kfac, 0, 3, shard);
              }
            });
    assertThat(ranks.get(1)).isEqualTo(ranks.get(0));
    for (int step = 0; step < 3; step++) {
      StepReport one = serial.get(step);
      StepReport other = ranks.get(0).get(step);
      assertThat(other.step()).isEqualTo(one.step());
      assertThat(other.clip()).isCloseTo(one.clip(), withPercentage(1e-3));
      assertThat(other.refreshed().stream().map(r -> r.layer()).toList())
          .isEqualTo(one.refreshed().stream().map(r -> r.layer()).toList());
    }
    assertThat(serial.get(0).clip()).isLessThan(1);
  }

  /** Weights are fp32 where they are gathered, so they are rounded once a step. */
  @Test
  void ownersMayUpdateTheWeights() {
    var results =
        Ranks.run(
            3,
            c -> {
              Mlp network = new Mlp();
              int[] shard = TrainingScenario.shard(c, TrainingScenario.UNEVEN);
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                kfac.setExamples(shard[1] - shard[0]);
                for (int step = 0; step < TrainingScenario.STEPS; step++) {
                  network.forwardBackward(step, shard[0], shard[1]);
                  kfac.observe(network.observations());
                  if (kfac.wantsRefresh()) {
                    kfac.refresh();
                  }
                  List<LayerGradient> gradients = network.gradients();
                  kfac.preconditionOwned(gradients);
                  network.update(gradients); // of others nonsense, which is overwritten
                  Map<String, List<HostTensor>> weights = new LinkedHashMap<>();
                  int l = 0;
                  for (double[] w : network.weights()) {
                    weights.put("fc" + l++, List.of(HostTensor.of(w, w.length)));
                  }
                  kfac.gatherWeights(weights);
                }
              }
              return network.weights();
            });
    TrainingScenario.assertSame(results);
    TrainingScenario.assertClose(results.get(0), TrainingScenario.serial(OPTIONS), 3e-6);
  }
}
