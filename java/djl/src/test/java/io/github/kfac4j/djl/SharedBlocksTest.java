package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.Trainer;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.UpdateRule;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A block that is used twice, whose parameters DJL lists twice, under two names. */
class SharedBlocksTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDamping(0.03).withDecay(0.7).withIntervals(1, 2);

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private static Block block() {
    Linear shared = Linear.builder().setUnits(8).build();
    return new SequentialBlock()
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(8).build())
        .add(shared)
        .add(Activation::tanh)
        .add(shared)
        .add(Activation::tanh)
        .add(Linear.builder().setUnits(Nets.CLASSES).build());
  }

  /** Two would precondition its gradient twice. */
  @Test
  void aBlockOfTwoModelsHasOneKfac() {
    Block block = block();
    try (Model model = Nets.model(block);
        Model other = Nets.model(new SequentialBlock().add(block))) {
      DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> DjlKfac.attach(other, OPTIONS, Fisher.EMPIRICAL, backend))
          .withMessageContaining("has a K-FAC already");
      try (Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
        trainer.initialize(Nets.IMAGES);
        Nets.step(trainer, kfac, 1); // as if nothing had been tried
      }
      kfac.close();
      DjlKfac.attach(other, OPTIONS, Fisher.EMPIRICAL, backend).close();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      names = {"KRONECKER", "DIAGONAL"})
  void microBatchesAddUpToTheWholeBatch(Approximation approximation) {
    KfacOptions options = OPTIONS.withApproximation(approximation);
    // fp32 sums in another order, three steps of them, amplified by at most 1 / damping
    assertClose(train(options, false, 24, 32), train(options, false, 32), 2e-4f);
  }

  /** Without momentum both rules are w - rate * U, of which the products are rounded. */
  @Test
  void theUpdateRuleOfItsOwnMovesThemOnce() {
    assertClose(train(OPTIONS, true, 32), train(OPTIONS, false, 32), 1e-6f);
  }

  private static void assertClose(
      Map<String, float[]> actual, Map<String, float[]> expected, float tolerance) {
    expected.forEach(
        (name, weights) ->
            assertThat(actual.get(name)).as(name).containsExactly(weights, within(tolerance)));
  }

  private Map<String, float[]> train(KfacOptions options, boolean ownRule, int... ends) {
    try (Model model = Nets.model(block());
        DjlKfac kfac = DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f, 0))) {
      kfac.setMicroBatches(ends.length);
      trainer.initialize(Nets.IMAGES);
      DjlKfacOptimizer optimizer =
          new DjlKfacOptimizer(
              kfac, UpdateRule.of(0.02, 0, 0.03), trainer.getLoss(), OutputLoss.SOFTMAX);
      for (int step = 0; step < 3; step++) {
        NDList data = Nets.images(trainer.getManager(), step);
        int start = 0;
        for (int end : ends) {
          String rows = start + ":" + end;
          Nets.pass(trainer, new NDList(data.get(0).get(rows), data.get(1).get(rows)));
          start = end;
        }
        if (ownRule) {
          optimizer.step(new NDList(data.get(0)), new NDList(data.get(1)));
        } else {
          kfac.precondition();
          trainer.step();
        }
      }
      return Nets.weights(model);
    }
  }
}
