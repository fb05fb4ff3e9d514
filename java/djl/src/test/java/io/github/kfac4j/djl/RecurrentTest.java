package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.recurrent.GRU;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.nn.recurrent.RNN;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Recurrent blocks keep their own gradients; what is around them is K-FAC's over all time steps.
 */
class RecurrentTest {
  private static final int N = 6;
  private static final int T = 5;
  private static final int IN = 3;
  private static final int STATE = 4;
  private static final int OUT = 2;
  private static final KfacOptions OPTIONS = KfacOptions.DEFAULT.withDamping(0.1).withoutKlClip();

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  static Stream<Arguments> blocks() {
    return Stream.of(
        of("LSTM", () -> LSTM.builder().setNumLayers(1).setStateSize(STATE).build()),
        of("LSTM of two layers", () -> LSTM.builder().setNumLayers(2).setStateSize(STATE).build()),
        of("GRU", () -> GRU.builder().setNumLayers(1).setStateSize(STATE).build()),
        of(
            "RNN",
            () ->
                RNN.builder()
                    .setNumLayers(1)
                    .setStateSize(STATE)
                    .setActivation(RNN.Activation.TANH)
                    .build()));
  }

  private static Arguments of(String name, Supplier<Block> block) {
    return Arguments.of(name, block);
  }

  /** A network, what its head sees, and the gradients of a pass. */
  private final class Run implements AutoCloseable {
    private final NDManager manager = NDManager.newBaseManager();
    private final Model model;
    private float[] states;
    private float[] outputs;

    Run(Block recurrent) {
      model =
          Nets.model(
              new SequentialBlock()
                  .add(Linear.builder().setUnits(IN).build())
                  .add(recurrent)
                  .add(h -> new NDList(seen(h.head())))
                  .add(Linear.builder().setUnits(OUT).build()));
    }

    private NDArray seen(NDArray h) {
      states = h.toFloatArray();
      return h;
    }

    /** The gradients of the mean over examples of the sum of log cosh. */
    Map<String, float[]> gradients(DjlKfac kfac) {
      Block block = model.getBlock();
      block.initialize(manager, DataType.FLOAT32, new Shape(N, T, IN));
      int seed = 0;
      Map<String, Parameter> parameters = new LinkedHashMap<>();
      block.getParameters().forEach(entry -> parameters.put(entry.getKey(), entry.getValue()));
      for (Parameter parameter : parameters.values()) {
        NDArray array = parameter.getArray();
        array.toByteBuffer(true).asFloatBuffer().put(numbers((int) array.size(), ++seed));
        array.setRequiresGradient(true);
      }
      NDArray x = manager.create(numbers(N * T * IN, 50), new Shape(N, T, IN));
      try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        ParameterStore store = new ParameterStore(manager, false);
        NDArray y = block.forward(store, new NDList(x), true).head();
        outputs = y.toFloatArray();
        collector.backward(y.exp().add(y.neg().exp()).log().sum().div(N));
      }
      if (kfac != null) {
        kfac.precondition();
      }
      Map<String, float[]> gradients = new LinkedHashMap<>();
      parameters.forEach((name, parameter) -> gradients.put(name, Nets.gradient(parameter)));
      return gradients;
    }

    @Override
    public void close() {
      model.close();
      manager.close();
    }
  }

  private static float[] numbers(int count, int seed) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) (0.7 * Math.sin(seed + 1.7 * i + 0.3 * i * (i % 7)));
    }
    return numbers;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("blocks")
  void keepTheirGradientsAndTheHeadHasKfacOverTimeSteps(String name, Supplier<Block> make) {
    try (Run plain = new Run(make.get());
        Run run = new Run(make.get());
        DjlKfac kfac = DjlKfac.attach(run.model, OPTIONS, Fisher.EMPIRICAL, backend)) {
      Map<String, float[]> expected = plain.gradients(null);
      Map<String, float[]> actual = run.gradients(kfac);
      assertThat(kfac.layers()).containsExactly("01Linear", "04Linear");
      assertThat(kfac.unsupportedLayers()).hasSize(1).first().asString().startsWith("02");
      assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
      expected.forEach(
          (parameter, gradient) -> {
            assertThat(gradient).as(parameter).isNotEqualTo(new float[gradient.length]);
            if (parameter.startsWith("02")) {
              assertThat(actual.get(parameter)).as(parameter).isEqualTo(gradient);
            }
          });
      HostTensor weight = HostTensor.of(expected.get("04Linear_weight"), OUT, STATE);
      HostTensor bias = HostTensor.of(expected.get("04Linear_bias"), OUT);
      byHand(plain, weight, bias);
      assertClose(actual.get("04Linear_weight"), weight);
      assertClose(actual.get("04Linear_bias"), bias);
    }
  }

  /** The derivative of log cosh is tanh. */
  private void byHand(Run plain, HostTensor weight, HostTensor bias) {
    double[] grad = new double[plain.outputs.length];
    for (int i = 0; i < grad.length; i++) {
      grad[i] = Math.tanh(plain.outputs[i]) / N;
    }
    try (Kfac kfac = new Kfac(backend, Map.of("head", Dense.of(STATE, OUT)), OPTIONS)) {
      kfac.step(
          List.of(
              Observation.ofMeanLoss(
                  "head",
                  HostTensor.of(plain.states, N, T, STATE),
                  HostTensor.of(grad, N, T, OUT))),
          List.of(new LayerGradient("head", weight, bias)));
    }
  }

  /** Output gradients here and there differ by the rounding of fp32, 30 u over the damping. */
  private static void assertClose(float[] actual, HostTensor expected) {
    double[] values = expected.toArray();
    for (int i = 0; i < values.length; i++) {
      assertThat((double) actual[i]).isCloseTo(values[i], within(30 * 0x1p-24 / 0.1));
    }
  }
}
