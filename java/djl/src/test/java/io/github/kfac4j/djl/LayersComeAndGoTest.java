package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.util.PairList;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.UpdateRule;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Layers that some passes skip, and parameters that are frozen and unfrozen. */
class LayersComeAndGoTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDamping(0.03).withIntervals(1, 1);

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  /** A trunk with one of two heads. */
  private static final class TwoHeads extends AbstractBlock {
    private final Linear trunk = addChildBlock("trunk", linear(6));
    private final Linear first = addChildBlock("first", linear(Nets.CLASSES));
    private final Linear second = addChildBlock("second", linear(Nets.CLASSES));
    private boolean usesSecond;
    private boolean routesNone;

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      NDList x = new NDList(inputs.head().reshape(-1, 64));
      NDList h = trunk.forward(store, x, training);
      if (routesNone) {
        second.forward(store, new NDList(h.head().get("0:0")), training);
      }
      return (usesSecond ? second : first).forward(store, h, training);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
      return new Shape[] {new Shape(inputs[0].get(0), Nets.CLASSES)};
    }

    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
      trunk.initialize(manager, type, new Shape(Nets.BATCH, 64));
      first.initialize(manager, type, new Shape(Nets.BATCH, 6));
      second.initialize(manager, type, new Shape(Nets.BATCH, 6));
    }
  }

  private static Linear linear(int units) {
    return Linear.builder().setUnits(units).build();
  }

  private DjlKfac attach(Model model, KfacOptions options, Fisher fisher) {
    return DjlKfac.attach(model, options, fisher, backend);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aHeadThatTheFirstPassesSkipJoinsWhenItIsUsed(boolean sampled) {
    TwoHeads block = new TwoHeads();
    Fisher fisher = sampled ? Fisher.monteCarlo(1) : Fisher.EMPIRICAL;
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model, OPTIONS, fisher);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      for (int step = 0; step < 3; step++) {
        Nets.step(trainer, kfac, step);
      }
      block.usesSecond = true;
      Parameter weight = block.second.getDirectParameters().get("weight");
      Nets.pass(trainer, Nets.images(trainer.getManager(), 3));
      float[] plain = Nets.gradient(weight);
      kfac.precondition();
      assertThat(Nets.gradient(weight)).isNotEqualTo(plain);
      assertThat(((Kfac) kfac.kfac()).state().inputFactor("03second")).hasSize(49);
      trainer.step();
    }
  }

  /** As where no example is routed to an expert. */
  @Test
  void aHeadThatRunsOnNoRowsWasNotUsed() {
    TwoHeads block = new TwoHeads();
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model, OPTIONS, Fisher.EMPIRICAL);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      block.routesNone = true;
      Nets.pass(trainer, Nets.images(trainer.getManager(), 0));
      assertThat(kfac.precondition().plain()).isEmpty();
      block.routesNone = false;
      block.usesSecond = true;
      Nets.pass(trainer, Nets.images(trainer.getManager(), 1));
      assertThat(kfac.precondition().plain()).isEmpty();
    }
  }

  /** Between updates of the factors nothing is known of the head yet. */
  @Test
  void aHeadThatHasNotBeenObservedKeepsItsPlainGradient() {
    TwoHeads block = new TwoHeads();
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model, OPTIONS.withIntervals(2, 2), Fisher.EMPIRICAL);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      Nets.step(trainer, kfac, 0);
      block.usesSecond = true;
      Parameter weight = block.second.getDirectParameters().get("weight");
      for (int step = 1; step <= 2; step++) {
        Nets.pass(trainer, Nets.images(trainer.getManager(), step));
        float[] plain = Nets.gradient(weight);
        kfac.precondition();
        if (step == 1) {
          assertThat(Nets.gradient(weight)).isEqualTo(plain);
        } else {
          assertThat(Nets.gradient(weight)).isNotEqualTo(plain);
        }
        trainer.step();
      }
    }
  }

  @Test
  void theUpdateRuleOfItsOwnTakesHeadsThatComeLater() {
    TwoHeads block = new TwoHeads();
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model, OPTIONS, Fisher.EMPIRICAL);
        Trainer trainer = model.newTrainer(Nets.config(0))) {
      trainer.initialize(Nets.IMAGES);
      DjlKfacOptimizer optimizer =
          new DjlKfacOptimizer(
              kfac, UpdateRule.of(0.02, 0.9, 0.03), trainer.getLoss(), OutputLoss.SOFTMAX);
      for (int step = 0; step < 4; step++) {
        block.usesSecond = step >= 2;
        float[] before = Nets.weights(model).get("03second_weight");
        step(trainer, optimizer, step);
        if (step < 2) {
          assertThat(Nets.weights(model).get("03second_weight")).isEqualTo(before);
        } else {
          assertThat(Nets.weights(model).get("03second_weight")).isNotEqualTo(before);
        }
      }
    }
  }

  private static void step(Trainer trainer, DjlKfacOptimizer optimizer, long seed) {
    try (NDManager batch = trainer.getManager().newSubManager()) {
      NDList data = Nets.images(batch, seed);
      Nets.pass(trainer, data);
      optimizer.step(new NDList(data.get(0)), new NDList(data.get(1)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"weight", "bias", "both"})
  void whatIsUnfrozenLaterIsPreconditionedFromThenOn(String which) {
    TwoHeads block = new TwoHeads();
    List<Parameter> frozen =
        block.trunk.getDirectParameters().values().stream()
            .filter(p -> which.equals("both") || p.getName().equals(which))
            .toList();
    frozen.forEach(p -> p.freeze(true));
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model, OPTIONS, Fisher.EMPIRICAL);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      for (int step = 0; step < 2; step++) {
        Nets.step(trainer, kfac, step);
      }
      assertThat(kfac.layers().contains("01trunk")).isEqualTo(which.equals("bias"));
      double[] head = ((Kfac) kfac.kfac()).state().inputFactor("02first");
      assertThat(head).hasSize(49);
      frozen.forEach(p -> p.freeze(false));
      Nets.pass(trainer, Nets.images(trainer.getManager(), 2));
      assertThat(((Kfac) kfac.kfac()).state().inputFactor("02first")).isEqualTo(head);
      float[][] plain = new float[frozen.size()][];
      for (int i = 0; i < plain.length; i++) {
        plain[i] = Nets.gradient(frozen.get(i));
      }
      kfac.precondition();
      for (int i = 0; i < plain.length; i++) {
        assertThat(Nets.gradient(frozen.get(i))).isNotEqualTo(plain[i]);
      }
      trainer.step();
      assertThat(kfac.layers()).contains("01trunk");
      assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(3);
      assertThat(((Kfac) kfac.kfac()).state().inputFactor("01trunk")).hasSize(65 * 65);
    }
  }

  @Test
  void whatIsFrozenLaterWaitsAndGoesOn() {
    TwoHeads block = new TwoHeads();
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model, OPTIONS, Fisher.EMPIRICAL);
        Trainer trainer = model.newTrainer(Nets.config(0))) {
      trainer.initialize(Nets.IMAGES);
      DjlKfacOptimizer optimizer =
          new DjlKfacOptimizer(
              kfac, UpdateRule.of(0.02, 0.9, 0.03), trainer.getLoss(), OutputLoss.SOFTMAX);
      step(trainer, optimizer, 0);
      block.trunk.freezeParameters(true);
      float[] before = Nets.weights(model).get("01trunk_weight");
      step(trainer, optimizer, 1);
      assertThat(kfac.layers()).containsExactly("02first", "03second");
      assertThat(Nets.weights(model).get("01trunk_weight")).isEqualTo(before);
      block.trunk.freezeParameters(false);
      step(trainer, optimizer, 2);
      assertThat(Nets.weights(model).get("01trunk_weight")).isNotEqualTo(before);
      assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(3);
      assertThat(optimizer.steps()).isEqualTo(3);
    }
  }

  /** What the optimizer alone trains moves as it does without K-FAC, from the first step on. */
  @ParameterizedTest
  @CsvSource({"false, false, 1", "false, true, 2", "true, false, 1", "true, true, 2"})
  void allOfItsLayersMayBeFrozen(boolean fromTheFirstStep, boolean sampled, int passes) {
    Fisher fisher = sampled ? Fisher.monteCarlo(1) : Fisher.EMPIRICAL;
    Map<String, float[]> plain = trainedWithFrozenHeads(null, fromTheFirstStep, passes);
    Map<String, float[]> with = trainedWithFrozenHeads(fisher, fromTheFirstStep, passes);
    plain.forEach((name, weights) -> assertThat(with.get(name)).as(name).isEqualTo(weights));
  }

  /** Weights after steps in which the trunk moves, the heads being frozen. */
  private Map<String, float[]> trainedWithFrozenHeads(
      Fisher fisher, boolean fromTheFirstStep, int passes) {
    TwoHeads block = new TwoHeads();
    try (Model model = Nets.model(block);
        DjlKfac kfac =
            fisher == null ? null : DjlKfac.attach(model, OPTIONS, fisher, backend, "01trunk");
        Trainer trainer = model.newTrainer(Nets.config(fromTheFirstStep ? 0.02f : 0))) {
      trainer.initialize(Nets.IMAGES);
      if (!fromTheFirstStep && kfac != null) {
        Nets.step(trainer, kfac, 0);
      }
      block.first.freezeParameters(true);
      block.second.freezeParameters(true);
      for (int step = 1; step < 4; step++) {
        if (kfac != null) {
          kfac.setMicroBatches(passes);
        }
        for (int i = 0; i < passes; i++) {
          Nets.pass(trainer, Nets.images(trainer.getManager(), step));
        }
        if (kfac != null) {
          assertThat(kfac.layers()).isEmpty();
          assertThat(kfac.precondition().plain()).isEmpty();
        } else if (passes > 1) {
          block.trunk.getDirectParameters().values().forEach(LayersComeAndGoTest::halve);
        }
        trainer.step();
      }
      Map<String, float[]> weights = Nets.weights(model);
      if (kfac != null) {
        assertThat(kfac.kfac().step()).isEqualTo(fromTheFirstStep ? 3 : 4);
        block.first.freezeParameters(false);
        kfac.setMicroBatches(1);
        Nets.step(trainer, kfac, 4);
        assertThat(kfac.layers()).containsExactly("02first");
      }
      return weights;
    }
  }

  private static void halve(Parameter parameter) {
    try (NDArray gradient = parameter.getArray().getGradient()) {
      gradient.muli(0.5);
    }
  }

  /** DJL's trainer takes gradients of nothing but zeros for a forgotten backward pass. */
  @Test
  void theBurnInMovesNothingWhereAllOfItsLayersAreFrozen() {
    TwoHeads block = new TwoHeads();
    KfacOptions options = OPTIONS.withIntervals(Intervals.of(1, 1).withBurnIn(2));
    try (Model model = Nets.model(block);
        DjlKfac kfac = DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend, "01trunk");
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      block.first.freezeParameters(true);
      block.second.freezeParameters(true);
      float[] before = Nets.weights(model).get("01trunk_weight");
      Nets.step(trainer, kfac, 0);
      Nets.step(trainer, kfac, 1);
      assertThat(Nets.weights(model).get("01trunk_weight")).isEqualTo(before);
      Nets.step(trainer, kfac, 2);
      assertThat(Nets.weights(model).get("01trunk_weight")).isNotEqualTo(before);
    }
  }

  @Test
  void layersAreLeftOutByName() {
    try (Model model = Nets.model(new TwoHeads())) {
      assertThatThrownBy(() -> DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend, "head"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the model has no layer 'head'; it has [01trunk, 02first, 03second]");
      try (DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend, "01trunk");
          Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
        trainer.initialize(Nets.IMAGES);
        Nets.step(trainer, kfac, 1);
        assertThat(kfac.layers()).containsExactly("02first", "03second");
        assertThat(kfac.unsupportedLayers()).containsExactly("01trunk (Linear)");
      }
    }
  }

  @Test
  void layersHaveApproximationsByNameEvenWhileTheyAreFrozen() {
    TwoHeads block = new TwoHeads();
    block.trunk.freezeParameters(true);
    KfacOptions options = OPTIONS.withApproximation("01trunk", Approximation.DIAGONAL);
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model, options, Fisher.EMPIRICAL);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      Nets.step(trainer, kfac, 0);
      block.trunk.freezeParameters(false);
      Nets.step(trainer, kfac, 1);
      assertThat(((Kfac) kfac.kfac()).state().factors("01trunk")).isEmpty();
      assertThat(((Kfac) kfac.kfac()).state().factors("02first")).containsExactly("A", "G");
    }
  }
}
