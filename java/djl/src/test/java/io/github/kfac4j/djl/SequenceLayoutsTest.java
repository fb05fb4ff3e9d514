package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A sequence [N, T, D] may reach a layer with its positions first or as rows. */
class SequenceLayoutsTest {
  private static final int N = 16;
  private static final int T = 100;
  private static final int IN = 4;
  private static final int OUT = 5;

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  /** What stands in front of the layer, and behind it. */
  private enum Layout {
    EXAMPLES_FIRST(x -> x, y -> y),
    POSITIONS_FIRST(x -> x.transpose(1, 0, 2), y -> y.transpose(1, 0, 2)),
    ROWS(x -> x.reshape(-1, IN), y -> y.reshape(N, T, OUT));

    private final UnaryOperator<NDArray> before;
    private final UnaryOperator<NDArray> after;

    Layout(UnaryOperator<NDArray> before, UnaryOperator<NDArray> after) {
      this.before = before;
      this.after = after;
    }
  }

  private static SequentialBlock around(Layout layout, Block layer) {
    return new SequentialBlock()
        .add(x -> new NDList(layout.before.apply(x.head())))
        .add(layer)
        .add(y -> new NDList(layout.after.apply(y.head())));
  }

  /** The preconditioned weight gradient of the mean over examples of the sum of log cosh. */
  private double[] step(Layout layout, KfacOptions options) {
    Linear layer = Linear.builder().setUnits(OUT).build();
    try (Model model = Nets.model(around(layout, layer));
        DjlKfac kfac = DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend);
        NDManager manager = NDManager.newBaseManager()) {
      model.getBlock().initialize(manager, DataType.FLOAT32, new Shape(N, T, IN));
      NDArray weight = layer.getDirectParameters().get("weight").getArray();
      weight.setRequiresGradient(true);
      layer.getDirectParameters().get("bias").getArray().setRequiresGradient(true);
      weight.toByteBuffer(true).asFloatBuffer().put(numbers(OUT * IN, 1));
      NDArray x = manager.create(numbers(N * T * IN, 2), new Shape(N, T, IN));
      pass(model, manager, x);
      kfac.precondition();
      float[] u = Nets.gradient(layer.getDirectParameters().get("weight"));
      double[] result = new double[u.length];
      for (int i = 0; i < u.length; i++) {
        result[i] = u[i];
      }
      return result;
    }
  }

  private static float[] numbers(int count, int seed) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) Math.sin(seed + 1.7 * i + 0.3 * i * (i % 7));
    }
    return numbers;
  }

  private static void pass(Model model, NDManager manager, NDArray x) {
    ParameterStore store = new ParameterStore(manager, false);
    try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
      NDArray y = model.getBlock().forward(store, new NDList(x), true).singletonOrThrow();
      collector.backward(y.exp().add(y.neg().exp()).log().sum().div(N));
    }
  }

  @ParameterizedTest
  @EnumSource(Layout.class)
  void theStepDoesNotDependOnTheLayout(Layout layout) {
    KfacOptions options = KfacOptions.DEFAULT.withDamping(1e-6);
    assertClose(step(layout, options), step(Layout.EXAMPLES_FIRST, options));
  }

  /** The longest sum has N T = 1600 terms of fp32, amplified by the inverse at full rank: 1e-4. */
  private static void assertClose(double[] actual, double[] expected) {
    double norm = 0;
    for (double e : expected) {
      norm += e * e;
    }
    assertThat(norm).isPositive();
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(1e-4 * Math.sqrt(norm)));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      names = {"EKFAC", "DIAGONAL"})
  void whereExamplesMatterRowsAreRefusedAndDimensionsKnown(Approximation approximation) {
    KfacOptions options =
        KfacOptions.DEFAULT.withDamping(1e-3).withApproximation(approximation).withIntervals(1, 2);
    double[] expected = step(Layout.EXAMPLES_FIRST, options);
    assertClose(step(Layout.POSITIONS_FIRST, options), expected);
    assertThatThrownBy(() -> step(Layout.ROWS, options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("layer '02Linear'", "[1600, 4]", "16 examples");
  }

  @Test
  void normalisationOfRowsIsRefusedByName() {
    LayerNorm norm = LayerNorm.builder().axis(1).build();
    Block block =
        new SequentialBlock()
            .add(x -> new NDList(x.head().reshape(-1, IN)))
            .add(norm)
            .add(y -> new NDList(y.head().reshape(N, T, IN)));
    try (Model model = Nets.model(block);
        DjlKfac kfac = DjlKfac.attach(model, KfacOptions.DEFAULT, Fisher.EMPIRICAL, backend);
        NDManager manager = NDManager.newBaseManager()) {
      model.getBlock().initialize(manager, DataType.FLOAT32, new Shape(N, T, IN));
      norm.getDirectParameters()
          .values()
          .forEach(p -> p.getArray().setRequiresGradient(p.requiresGradient()));
      pass(model, manager, manager.create(numbers(N * T * IN, 2), new Shape(N, T, IN)));
      assertThatThrownBy(kfac::precondition)
          .hasMessageContainingAll("layer '02LayerNorm'", "[1600, 4]", "16 examples");
    }
  }
}
