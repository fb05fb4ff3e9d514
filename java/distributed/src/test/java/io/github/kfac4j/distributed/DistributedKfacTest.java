package io.github.kfac4j.distributed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.data.Percentage.withPercentage;

import io.github.kfac4j.Approximation;
import io.github.kfac4j.Convention;
import io.github.kfac4j.DampingMode;
import io.github.kfac4j.Intervals;
import io.github.kfac4j.InversePolicy;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacOptions;
import io.github.kfac4j.LayerGradient;
import io.github.kfac4j.StepReport;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.oracle.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

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
              kfac.observeInputs(network.inputObservations(), 1);
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

  @Test
  void aNanInTheInputsIsToldAfterTheBackwardPass() {
    var messages =
        Ranks.run(
            2,
            c -> {
              Mlp network = new Mlp();
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                network.forwardBackward(0, shard[0], shard[1]);
                var inputs = network.inputObservations();
                if (c.rank() == 1) {
                  set(inputs.get(0).input(), Double.NaN);
                }
                kfac.observeInputs(inputs, 1);
                kfac.observe(network.observations());
                String message = message(kfac::refresh);
                TrainingScenario.train(network, kfac, 0, 3, shard, true); // and goes on
                return message;
              }
            });
    assertThat(messages)
        .containsOnly("rank 1: layer 'fc0': input holds a NaN or infinity at flat index 0");
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
  void aResumedRunHasTheCopiesOfTheInverses() {
    Assignment assignment = balanced(4).withWorkerFraction(0.5);
    Ranks.run(
        4,
        c -> {
          int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
          Mlp undisturbed = new Mlp();
          Mlp resumed = new Mlp();
          try (var first = withWorkers(c, assignment);
              var second = withWorkers(c, assignment);
              var third = withWorkers(c, assignment)) {
            TrainingScenario.train(undisturbed, first, 0, 6, shard);
            TrainingScenario.train(resumed, second, 0, 3, shard); // no refresh follows
            third.restore(second.toTensors());
            TrainingScenario.train(resumed, third, 3, 6, shard);
          }
          TrainingScenario.assertSame(List.of(undisturbed.weights(), resumed.weights()));
          return null;
        });
  }

  private static DistributedKfac withWorkers(Collectives c, Assignment assignment) {
    return new DistributedKfac(
        c, new JavaBackend(), Mlp.layers(), OPTIONS, assignment, Precision.FP32);
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
  void aNanOnOneRankIsTheSameFailureOnAllAndChangesNothing() {
    var messages =
        Ranks.run(
            3,
            c -> {
              Mlp network = new Mlp();
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS);
              TrainingScenario.train(network, kfac, 0, 2, shard);
              var before = kfac.toTensors();
              network.forwardBackward(2, shard[0], shard[1]);
              List<LayerGradient> gradients = network.gradients();
              var observations = network.observations();
              if (c.rank() == 1) {
                set(observations.get(0).input(), Double.NaN);
              }
              kfac.observe(observations);
              String first = message(kfac::refresh);
              if (c.rank() == 2) {
                set(gradients.get(1).weight(), Double.POSITIVE_INFINITY);
              }
              String second = message(() -> kfac.precondition(gradients));
              assertThat(kfac.toTensors()).isEqualTo(before);
              // and the job goes on
              TrainingScenario.train(network, kfac, 2, 4, shard);
              kfac.close();
              return first + "; " + second;
            });
    String expected =
        "rank 1: layer 'fc0': input holds a NaN or infinity at flat index 0; "
            + "rank 2: layer 'fc1': weight gradient holds a NaN or infinity at flat index 0";
    assertThat(messages).containsOnly(expected);
  }

  private static void set(Tensor tensor, double value) {
    ((HostTensor) tensor).write(0, new double[] {value}, 0, 1);
  }

  private static String message(ThrowingCallable call) {
    return catchThrowable(call).getMessage();
  }

  @Test
  void refreshWithoutObservationsFailsOnAll() {
    var messages =
        Ranks.run(
            2,
            c -> {
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                return message(kfac::refresh);
              }
            });
    assertThat(messages)
        .containsOnly("rank 0: layer 'fc1': there is nothing to invert before observe()");
  }

  /** The fp64 backend, which finds no inverse when told so. */
  private static Backend failing(BooleanSupplier fails) {
    JavaBackend backend = new JavaBackend();
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              Object result = method.invoke(backend, arguments);
              if (method.getName().equals("invert") && fails.getAsBoolean()) {
                List<Status[]> statuses = new ArrayList<>();
                for (Object status : (List<?>) result) {
                  Status[] bad = new Status[((Status[]) status).length];
                  Arrays.fill(bad, Status.notPositiveDefinite(0));
                  statuses.add(bad);
                }
                return statuses;
              }
              return result;
            });
  }

  @Test
  void aFailedInversionOnOneRankIsTheSameDecisionOnAll() {
    KfacOptions options =
        OPTIONS.withIntervals(1, 1).withInversePolicy(new InversePolicy(0, 10, 1));
    var decisions =
        Ranks.run(
            3,
            c -> {
              Mlp network = new Mlp();
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              boolean[] fails = {false};
              Backend backend = failing(() -> fails[0]);
              try (var kfac = DistributedKfac.of(c, backend, Mlp.layers(), options)) {
                TrainingScenario.train(network, kfac, 0, 2, shard);
                fails[0] = c.rank() == kfac.assignment().owner("fc0");
                // first the old inverse is kept, and all know it
                StepReport kept = TrainingScenario.train(network, kfac, 2, 3, shard).get(0);
                String status = kept.refreshed().get(0).perGroup().get(0).status();
                // then there is no remedy left, on any rank
                network.forwardBackward(3, shard[0], shard[1]);
                kfac.observe(network.observations());
                Throwable end = catchThrowable(kfac::refresh);
                return status + "; " + end.getClass().getSimpleName() + ": " + end.getMessage();
              }
            });
    assertThat(decisions.get(0))
        .contains("not positive definite", "InversionFailedException: rank ", "layer 'fc0'");
    assertThat(decisions).containsOnly(decisions.get(0));
  }

  @Test
  void ranksThatMeanDifferentJobsAreRefused() {
    assertThat(refusal(Mlp.layers(), OPTIONS.withDamping(0.2)))
        .contains("the settings differs", "rank 0", "rank 1", "damping=0.1", "damping=0.2");
    Map<String, Layer> other = new LinkedHashMap<>(Mlp.layers());
    other.put("fc1", new Dense(20, 3, false));
    assertThat(refusal(other, OPTIONS)).contains("layer 'fc1' differs", "bias=true", "bias=false");
    other.remove("fc1");
    assertThat(refusal(other, OPTIONS))
        .contains("the list of layers differs", "[fc0, fc1, fc2]", "[fc0, fc2]");
  }

  /** What two ranks say if the second has other layers or settings. */
  private static String refusal(Map<String, Layer> layers, KfacOptions options) {
    var messages =
        Ranks.run(
            2,
            c ->
                message(
                    () ->
                        DistributedKfac.of(
                            c,
                            new JavaBackend(),
                            c.rank() == 0 ? Mlp.layers() : layers,
                            c.rank() == 0 ? OPTIONS : options)));
    assertThat(messages.get(1)).isEqualTo(messages.get(0));
    return messages.get(0);
  }

  @Test
  void whatIsForSingleProcessesIsRefused() {
    assertThatThrownBy(() -> alone(OPTIONS.withIntervals(Intervals.adaptive(0.1))))
        .hasMessageContaining("adaptive intervals are for single processes");
    assertThatThrownBy(() -> alone(OPTIONS.withApproximation(Approximation.EKFAC)))
        .hasMessageContaining("EKFAC");
  }

  private static void alone(KfacOptions options) {
    Ranks.run(
        1,
        c -> {
          DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), options).close();
          return null;
        });
  }

  @Test
  void gradientsOfDifferentLayersAndEmptyBatchesAreRefused() {
    var messages =
        Ranks.run(
            2,
            c -> {
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                Mlp network = new Mlp();
                network.forwardBackward(0, 0, 4);
                kfac.observe(network.observations());
                kfac.refresh();
                List<LayerGradient> all = network.gradients();
                String first =
                    message(() -> kfac.precondition(c.rank() == 0 ? all : all.subList(0, 2)));
                kfac.setExamples(0);
                return first + "; " + message(() -> kfac.precondition(all));
              }
            });
    assertThat(messages)
        .containsOnly(
            "ranks give gradients of different layers: rank 0 of [fc0, fc1, fc2], rank 1 of [fc0,"
                + " fc1]; the shards of all ranks are empty");
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

  @Test
  void theStateLoadsInOneProcessAndOnAnyNumberOfRanks() {
    var states =
        Ranks.run(
            3,
            c -> {
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              Mlp network = new Mlp();
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                TrainingScenario.train(network, kfac, 0, 3, shard);
                var state = kfac.toTensors();
                TrainingScenario.train(network, kfac, 3, 6, shard);
                return Map.entry(state, network.weights());
              }
            });
    var state = states.get(0).getKey();
    assertThat(states.get(2).getKey()).isEqualTo(state);

    try (Kfac kfac = new Kfac(new JavaBackend(), Mlp.layers(), OPTIONS)) {
      kfac.restore(state);
      assertThat(kfac.step()).isEqualTo(3);
      assertThat(kfac.toTensors()).isEqualTo(state);
    }
    for (int ranks : new int[] {1, 2, 5}) {
      var copies =
          Ranks.run(
              ranks,
              c -> {
                try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                  kfac.restore(state);
                  return kfac.toTensors();
                }
              });
      assertThat(copies).containsOnly(state);
    }
  }

  @Test
  void aResumedRunHasTheWeightsOfAnUndisturbedOne() {
    Ranks.run(
        3,
        c -> {
          int[] shard = TrainingScenario.shard(c, TrainingScenario.UNEVEN);
          Mlp undisturbed = new Mlp();
          Mlp resumed = new Mlp();
          try (var first = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS);
              var second = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS);
              var third = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
            first.setExamples(shard[1] - shard[0]);
            second.setExamples(shard[1] - shard[0]);
            third.setExamples(shard[1] - shard[0]);
            TrainingScenario.train(undisturbed, first, 0, 6, shard);
            TrainingScenario.train(resumed, second, 0, 3, shard);
            third.restore(second.toTensors());
            TrainingScenario.train(resumed, third, 3, 6, shard);
          }
          TrainingScenario.assertSame(List.of(undisturbed.weights(), resumed.weights()));
          return null;
        });
  }
}
