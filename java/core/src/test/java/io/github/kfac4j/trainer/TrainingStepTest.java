package io.github.kfac4j.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The neutral half of an adapter, on a framework that is two arrays. */
class TrainingStepTest {
  private static final int IN = 3;
  private static final int OUT = 2;
  private static final KfacOptions OPTIONS = KfacOptions.DEFAULT.withIntervals(1, 1);

  private final Random random = new Random(3);
  private final double[] x = random.doubles(12 * IN).toArray();
  private final double[] dy = random.doubles(12 * OUT).toArray();
  private final double[] gradient = new double[OUT * IN];
  private final List<String> calls = new ArrayList<>();
  private boolean withoutLayers;
  private Kfac kfac = kfac(OPTIONS);

  /** What it asks of a model's gradients. */
  private final ModelGradients gradients =
      new ModelGradients() {
        @Override
        public void multiply(double factor) {
          Arrays.setAll(gradient, i -> gradient[i] * factor);
        }

        @Override
        public void clear() {
          calls.add("clear");
          Arrays.fill(gradient, 0);
        }

        @Override
        public Layers ofLayers() {
          HostTensor weight = HostTensor.of(gradient, OUT, IN);
          return new Layers() {
            @Override
            public List<LayerGradient> layers() {
              return withoutLayers ? List.of() : List.of(new LayerGradient("fc", weight));
            }

            @Override
            public void store() {
              calls.add("store");
            }
          };
        }
      };

  private final System.Logger log = System.getLogger(TrainingStepTest.class.getName());
  private TrainingStep<Pass> step = step(Fisher.EMPIRICAL);

  /** Examples of the batch; the output gradients are those of their mean loss. */
  private final class Pass implements TrainingPass {
    private final int from;
    private final int to;
    private boolean captured;
    private boolean backward;
    private boolean frozen;
    private boolean closed;

    Pass(int from, int to) {
      this.from = from;
      this.to = to;
    }

    @Override
    public int examples() {
      return to - from;
    }

    @Override
    public boolean captured() {
      return captured;
    }

    @Override
    public List<Observation> inputs() {
      return List.of();
    }

    @Override
    public List<Observation> observations(double outputGradScale) {
      double[] mean = Arrays.copyOfRange(dy, from * OUT, to * OUT);
      Arrays.setAll(mean, i -> mean[i] / examples());
      HostTensor input = HostTensor.of(Arrays.copyOfRange(x, from * IN, to * IN), examples(), IN);
      HostTensor output = HostTensor.of(mean, examples(), OUT);
      return hasGradients()
          ? List.of(new Observation("fc", input, output, outputGradScale, examples()))
          : List.of();
    }

    @Override
    public boolean expectsGradients() {
      return captured && !frozen;
    }

    @Override
    public boolean hasGradients() {
      return backward && !frozen;
    }

    /** Adds the gradient of the mean loss to the weight's. */
    void backward() {
      backward = true;
      for (int n = from; n < to; n++) {
        for (int i = 0; i < gradient.length; i++) {
          gradient[i] += dy[n * OUT + i / IN] * x[n * IN + i % IN] / examples();
        }
      }
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private static Kfac kfac(KfacOptions options) {
    return new Kfac(new JavaBackend(), Map.of("fc", new Dense(IN, OUT, false)), options);
  }

  private TrainingStep<Pass> step(Fisher fisher) {
    TrainingStep<Pass> made = new TrainingStep<>(fisher, gradients, log);
    made.setKfac(kfac);
    return made;
  }

  private Pass forward(int from, int to) {
    Pass pass = new Pass(from, to);
    pass.captured = step.wantsNext();
    step.begin(pass);
    step.forwardDone(
        () -> {
          throw new AssertionError("the empirical Fisher asks for no outputs");
        });
    return pass;
  }

  @AfterEach
  void close() {
    step.close();
    kfac.close();
  }

  @Test
  void microBatchesOfAnySizesAreTheirBatch() {
    try (Kfac whole = kfac(OPTIONS)) {
      Pass all = new Pass(0, 12);
      all.backward();
      double[] expected = gradient.clone();
      Arrays.fill(gradient, 0);
      whole.observe(all.observations(12));
      step.setMicroBatches(3);
      Pass first = forward(0, 2);
      first.backward();
      forward(2, 5).backward();
      forward(5, 12).backward();
      assertThat(first.closed).isTrue();
      step.endPasses();
      assertThat(gradient).containsExactly(expected, offset(1e-14));
      assertThat(kfac.state().inputFactor("fc"))
          .containsExactly(whole.state().inputFactor("fc"), offset(1e-14));
      assertThat(kfac.state().outputFactor("fc"))
          .containsExactly(whole.state().outputFactor("fc"), offset(1e-14));
    }
  }

  /** The last step of an epoch, whose only pass has not been observed yet. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void anAccumulationMayEndWithItsFirstPass(int announced) {
    try (Kfac whole = kfac(OPTIONS)) {
      Pass all = new Pass(0, 12);
      all.backward();
      double[] expected = gradient.clone();
      Arrays.fill(gradient, 0);
      whole.observe(all.observations(12));
      step.setMicroBatches(announced);
      forward(0, 12).backward();
      step.setMicroBatches(announced + 1);
      step.setMicroBatches(1);
      step.endPasses();
      assertThat(gradient).containsExactly(expected, offset(1e-14));
      assertThat(kfac.state().inputFactor("fc")).isEqualTo(whole.state().inputFactor("fc"));
      assertThat(kfac.state().outputFactor("fc")).isEqualTo(whole.state().outputFactor("fc"));
    }
  }

  @Test
  void passesThatAreMissingOrTooManyAreRefused() {
    step.setMicroBatches(2);
    forward(0, 6).backward();
    assertThatThrownBy(step::endPasses)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "a step has 2 micro-batches, but there were 1 passes: run the others, call"
                + " setMicroBatches() with as many as there were, or discardStep() to drop it");
    forward(6, 12).backward();
    assertThatThrownBy(step::wantsNext).hasMessageContaining("this would be one more");
    step.endPasses();
    step.precondition();
    step.close();
    assertThat(step.hasPass()).isFalse();
    assertThatThrownBy(() -> step.setMicroBatches(0)).hasMessageContaining("positive but are 0");
    assertThatThrownBy(() -> step.setLossScale(0)).hasMessageContaining("positive but is 0.0");
  }

  @Test
  void aMissingBackwardPassIsNamedAndTheStepGoesOn() {
    Pass pass = forward(0, 12);
    assertThatThrownBy(step::endPasses)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "no layer has a gradient from the last forward pass in training: run its backward pass"
                + " before precondition(), and passes that have none in evaluation");
    pass.backward();
    step.endPasses();
    assertThat(step.precondition().step()).isEqualTo(1);
    step.close();
    forward(0, 12);
    assertThat(step.lostForward()).isFalse();
    forward(0, 12);
    assertThat(step.lostForward()).isTrue();
  }

  /** All that K-FAC has is frozen, and the step is as if there were no K-FAC. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aPassOfFrozenLayersIsObservedByNoFactor(boolean fromTheFirstStep) {
    if (!fromTheFirstStep) {
      forward(0, 12).backward();
      step.endPasses();
      step.precondition();
      step.close();
    }
    double[] factor = fromTheFirstStep ? null : kfac.state().inputFactor("fc");
    withoutLayers = true;
    for (int passes = 1; passes <= 2; passes++) {
      step.setMicroBatches(passes);
      for (int i = 0; i < passes; i++) {
        forward(6 * i, 6 * i + 6).frozen = true;
        step.pass().backward();
      }
      step.endPasses();
      step.precondition();
      step.close();
    }
    forward(0, 12).frozen = true;
    step.setMicroBatches(1);
    forward(0, 12);
    assertThat(step.lostForward()).isFalse();
    step.discard();
    assertThat(kfac.step()).isEqualTo(fromTheFirstStep ? 2 : 3);
    if (!fromTheFirstStep) {
      assertThat(kfac.state().inputFactor("fc")).isEqualTo(factor);
    }
    withoutLayers = false;
    forward(0, 12).backward();
    step.endPasses();
    assertThat(step.precondition().plain()).isEmpty();
  }

  @Test
  void aLossScaleIsTakenOutOfTheFactors() {
    try (Kfac whole = kfac(OPTIONS)) {
      Pass all = new Pass(0, 12);
      all.backward();
      whole.observe(all.observations(12 / 64.0));
      step.setLossScale(64);
      forward(0, 12).backward();
      step.endPasses();
      assertThat(kfac.state().outputFactor("fc")).isEqualTo(whole.state().outputFactor("fc"));
    }
  }

  @Test
  void aDroppedStepLeavesNothing() {
    Map<?, ?> before = kfac.toTensors();
    Pass pass = forward(0, 12);
    pass.backward();
    step.endPasses();
    step.discard();
    assertThat(pass.closed).isTrue();
    assertThat(kfac.toTensors()).isEqualTo(before);
  }

  @Test
  void theBurnInClearsAllGradients() {
    kfac.close();
    kfac = kfac(OPTIONS.withIntervals(Intervals.of(1, 1).withBurnIn(1)));
    step.setKfac(kfac);
    forward(0, 12).backward();
    step.endPasses();
    assertThat(step.burningIn()).isTrue();
    assertThat(step.precondition().burnIn()).isTrue();
    assertThat(calls).containsExactly("clear", "store");
    assertThat(gradient).containsOnly(0);
    assertThat(step.lastReport().orElseThrow().burnIn()).isTrue();
    assertThat(step.lastTimes().orElseThrow().refresh()).isNotNegative();
  }

  @Test
  void anotherFisherStartsItsPassesFromTheOutputs() {
    step = step(new Fisher(Fisher.Estimator.EXACT, OutputLoss.SOFTMAX, 1));
    Pass pass = new Pass(0, 12);
    pass.captured = step.wantsNext();
    step.begin(pass);
    step.forwardDone(
        () ->
            new TrainingPass.Outputs() {
              @Override
              public HostTensor values() {
                return HostTensor.of(new double[12 * OUT], 12, OUT);
              }

              @Override
              public void backward(HostTensor from) {
                calls.add("backward " + from.shape());
                pass.backward = true;
              }

              @Override
              public void close() {
                calls.add("close");
              }
            });
    assertThat(calls).containsExactly("backward [12, 2]", "backward [12, 2]", "close");
    assertThat(step.wantsNext()).isFalse(); // one pass of a step is enough
    double[] sampled = kfac.state().outputFactor("fc");
    step.endPasses(); // the gradients of the loss itself are not observed
    assertThat(kfac.state().outputFactor("fc")).isEqualTo(sampled);
  }
}
