package io.github.kfac4j.distributed.sharing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.collectives.Ranks;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What is wrong on one rank is the same decision on all. */
class FailuresTest {
  private static final KfacOptions OPTIONS = TrainingScenario.OPTIONS;

  private static void set(Tensor tensor, double value) {
    ((HostTensor) tensor).write(0, new double[] {value}, 0, 1);
  }

  private static String message(ThrowingCallable call) {
    return catchThrowable(call).getMessage();
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
        "rank 1: layer 'fc0': input holds a NaN or infinity at flat index 0; discardStep() drops this step; "
            + "rank 2: layer 'fc1': weight gradient holds a NaN or infinity at flat index 0;"
            + " discardStep() drops this step";
    assertThat(messages).containsOnly(expected);
  }

  @Test
  void statisticsThatFp32HasNoRoomForAreRefusedByAllAndChangeNothing() {
    var messages =
        Ranks.run(
            2,
            c -> {
              Mlp network = new Mlp();
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                TrainingScenario.train(network, kfac, 0, 2, shard);
                var before = kfac.toTensors();
                network.forwardBackward(2, shard[0], shard[1]);
                var observations = network.observations();
                HostTensor grad = (HostTensor) observations.get(0).outputGrad();
                double[] tiny = Arrays.stream(grad.toArray()).map(x -> 1e-24 * x).toArray();
                if (c.rank() == 1) {
                  grad.write(0, tiny, 0, tiny.length);
                }
                kfac.observe(observations);
                String first = message(kfac::refresh);
                assertThat(kfac.toTensors()).isEqualTo(before);
                TrainingScenario.train(network, kfac, 2, 4, shard);
                return first;
              }
            });
    assertThat(messages)
        .allSatisfy(
            message ->
                assertThat(message)
                    .startsWith("rank 1: layer 'fc0': G of the batch is up to ")
                    .contains("scale the input or the loss"));
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
                kfac.observeInputs(inputs, Share.ALL);
                kfac.observe(network.observations());
                String message = message(kfac::refresh);
                TrainingScenario.train(network, kfac, 0, 3, shard, true); // and goes on
                return message;
              }
            });
    assertThat(messages)
        .containsOnly(
            "rank 1: layer 'fc0': input holds a NaN or infinity at flat index 0; discardStep()"
                + " drops this step");
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
              Object result;
              try {
                result = method.invoke(backend, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
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
                // then there is no fallback left, on any rank
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

  @Test
  void gradientsThatShareMemoryOnOneRankAreRefusedByAll() {
    var messages =
        Ranks.run(
            2,
            c -> {
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                Mlp network = new Mlp();
                network.forwardBackward(0, 0, 4);
                kfac.observe(network.observations());
                kfac.refresh();
                List<LayerGradient> all = new ArrayList<>(network.gradients());
                LayerGradient first = all.get(0);
                HostTensor weight = (HostTensor) first.weight();
                int[] out = {weight.shape().get(0)};
                if (c.rank() == 1) {
                  HostTensor row = HostTensor.of(weight.doubles(), out);
                  all.set(0, new LayerGradient(first.layer(), weight, row));
                  assertThatIllegalArgumentException()
                      .isThrownBy(
                          () -> kfac.gatherWeights(Map.of(first.layer(), List.of(weight, row))))
                      .withMessageContaining("share memory");
                }
                double[] before = weight.toArray();
                String message = message(() -> kfac.precondition(all));
                assertThat(weight.toArray()).isEqualTo(before);
                return message;
              }
            });
    assertThat(messages)
        .containsOnly(
            "rank 1: layer 'fc0': weight gradient and layer 'fc0': bias gradient share memory, and"
                + " both are to be replaced by the preconditioned one: copy one of them");
  }
}
