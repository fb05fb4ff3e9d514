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
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import io.github.kfac4j.KfacOptions;
import io.github.kfac4j.Observation;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.tensor.HostTensor;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ThroughBatchTest {
  @Test
  void paysOffWhereTheLayerIsWiderThanTheBatch() {
    Dense wide = new Dense(1000, 800, true);
    assertThat(ThroughBatch.isCheaper(wide, new Shape(64, 1000))).isTrue();
    assertThat(ThroughBatch.isCheaper(wide, new Shape(64, 10, 1000))).isFalse();
    assertThat(ThroughBatch.isCheaper(new Dense(1000, 10, true), new Shape(64, 1000))).isFalse();
  }

  /**
   * The source of a linear layer's gradient for input [2, 3, 60], after a change to the gradient.
   */
  private static void withSource(
      Consumer<NDArray> change, java.util.function.BiConsumer<Observation, float[]> check) {
    try (NDManager manager = NDManager.newBaseManager()) {
      Linear linear = Linear.builder().setUnits(40).build();
      BlockTree tree = new BlockTree(linear);
      Block tapped = tree.insertTaps();
      NDArray x = manager.randomNormal(new Shape(2, 3, 60));
      tapped.initialize(manager, DataType.FLOAT32, x.getShape());
      tree.dropUnless(Tap::describe);
      Tap tap = tree.taps().get(0);
      ParameterStore store = new ParameterStore(manager, false);
      Pass pass = new Pass(store, x, false);
      tap.record(pass);
      try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        NDArray s = tapped.forward(store, new NDList(x), true).singletonOrThrow();
        collector.backward(s.mul(manager.randomNormal(s.getShape())).sum());
      }
      NDArray gradient = pass.gradient(tap.weight());
      change.accept(gradient);
      check.accept(ThroughBatch.source(pass.capture(tap), pass, gradient), gradient.toFloatArray());
    }
  }

  @Test
  void outerProductsOverTheNumberOfExamplesAreTheGradient() {
    withSource(
        gradient -> {},
        (source, gradient) -> {
          double[] a = ((HostTensor) source.input()).toArray();
          double[] ds = ((HostTensor) source.outputGrad()).toArray();
          double weight = source.outputGradScale() / source.input().shape().get(0);
          for (int i = 0; i < gradient.length; i++) {
            double sum = 0;
            for (int row = 0; row < 6; row++) {
              sum += weight * ds[row * 40 + i / 60] * a[row * 60 + i % 60];
            }
            assertThat((double) gradient[i]).isCloseTo(sum, within(1e-4));
          }
        });
  }

  @Test
  void gradientThatWasChangedHasNoSource() {
    withSource(gradient -> gradient.muli(0.9), (source, g) -> assertThat(source).isNull());
    withSource(gradient -> gradient.addi(0.1), (source, g) -> assertThat(source).isNull());
  }

  /** With weight decay in the loss, what is preconditioned must be the whole gradient. */
  @Test
  void termOfTheLossInTheWeightsIsPreconditionedToo() {
    float[] whole = trainStep(1, 10);
    float[] direct = trainStep(2, 10); // adds up two half passes, which leaves no source
    float[] without = trainStep(1, 0);
    for (int i = 0; i < whole.length; i++) {
      assertThat(whole[i]).isCloseTo(direct[i], within(1e-4f));
    }
    assertThat(whole).isNotEqualTo(without);
  }

  private static float[] trainStep(int passes, float decay) {
    SequentialBlock block =
        new SequentialBlock()
            .add(Linear.builder().setUnits(50).build())
            .add(Activation::tanh)
            .add(Linear.builder().setUnits(3).build());
    try (Backend backend = Backends.require("java");
        Model model = Nets.model(block);
        DjlKfac kfac =
            DjlKfac.attach(
                model, KfacOptions.DEFAULT.withDamping(1), Fisher.monteCarlo(1), backend);
        Trainer trainer = model.newTrainer(Nets.config(0.1f));
        NDManager manager = trainer.getManager().newSubManager()) {
      trainer.initialize(new Shape(4, 60));
      NDArray x = manager.arange(0f, 240f).sin().reshape(4, 60);
      NDList labels = new NDList(manager.create(new float[] {0, 1, 2, 0}));
      NDArray weight = model.getBlock().getParameters().get("01Linear_weight").getArray();
      for (int pass = 0; pass < passes; pass++) {
        try (GradientCollector collector = trainer.newGradientCollector()) {
          NDArray loss = trainer.getLoss().evaluate(labels, trainer.forward(new NDList(x)));
          collector.backward(loss.add(weight.square().sum().mul(decay)).div(passes));
        }
      }
      kfac.precondition();
      return Nets.gradient(model.getBlock().getParameters().get("01Linear_weight"));
    }
  }
}
