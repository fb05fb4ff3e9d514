package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.options.KfacOptions;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MonteCarloTest {
  private static final int N = 5;
  private static final int IN = 3;
  private static final int HIDDEN = 4;
  private static final int CLASSES = 3;
  private static final KfacOptions EVERY_STEP =
      KfacOptions.DEFAULT.withDamping(0.1).withDecay(0).withIntervals(1, 1000);

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private static Block net() {
    return new SequentialBlock()
        .add(Linear.builder().setUnits(HIDDEN).build())
        .add(Activation::tanh)
        .add(Linear.builder().setUnits(CLASSES).build());
  }

  private static NDList data(NDManager manager) {
    float[] x = {1, 0, -1, 2, 1, 0, 0, -2, 1, 1, 1, 1, -1, 0, 2};
    return new NDList(
        manager.create(x, new Shape(N, IN)),
        manager.create(new float[] {0, 1, 2, 1, 0}, new Shape(N)));
  }

  /**
   * The sample mean over K passes misses the exact G of the hidden layer by what the variance of a
   * single draw says, for K = 25 and K = 400; that of random signs comes close too.
   */
  @ParameterizedTest
  @EnumSource(names = {"MONTE_CARLO", "CURVATURE_PROPAGATION"})
  void convergesToTheExactFisherAtTheRateOfOneOverRootSamples(Fisher.Estimator estimator) {
    try (Model model = Nets.model(net());
        DjlKfac kfac =
            DjlKfac.attach(
                model, EVERY_STEP, new Fisher(estimator, OutputLoss.SOFTMAX, 11), backend);
        Trainer trainer = model.newTrainer(Nets.config(0, 0));
        NDManager manager = trainer.getManager().newSubManager()) {
      trainer.initialize(new Shape(N, IN));
      NDList data = data(manager);
      double[] exact = new double[HIDDEN * HIDDEN];
      double variance = exactFisher(Nets.weights(model), data.head().toFloatArray(), exact);

      double[] sum = new double[HIDDEN * HIDDEN];
      for (int k = 1; k <= 400; k++) {
        Nets.pass(trainer, data);
        kfac.precondition();
        trainer.step(); // with learning rate 0: only clears the gradients
        double[] g = ((Kfac) kfac.kfac()).state().outputFactor("01Linear");
        for (int i = 0; i < g.length; i++) {
          sum[i] += g[i];
        }
        if (estimator == Fisher.Estimator.MONTE_CARLO && (k == 25 || k == 400)) {
          double error = 0;
          for (int i = 0; i < g.length; i++) {
            error += Math.pow(sum[i] / k - exact[i], 2);
          }
          assertThat(error / (variance / k)).as("error over expectation").isBetween(0.1, 4.0);
        }
      }
      for (int i = 0; i < sum.length; i++) {
        assertThat(sum[i] / 400).isCloseTo(exact[i], within(0.2 * exact[0]));
      }
    }
  }

  /** Fills in G of the hidden layer; returns the variance of its estimate from one draw each. */
  private static double exactFisher(Map<String, float[]> weights, float[] x, double[] exact) {
    float[] w1 = weights.get("01Linear_weight");
    float[] w2 = weights.get("03Linear_weight");
    double variance = 0;
    for (int n = 0; n < N; n++) {
      double[] h = new double[HIDDEN];
      double[] logits = new double[CLASSES];
      for (int j = 0; j < HIDDEN; j++) {
        for (int i = 0; i < IN; i++) {
          h[j] += w1[j * IN + i] * x[n * IN + i];
        }
        h[j] = Math.tanh(h[j]);
        for (int c = 0; c < CLASSES; c++) {
          logits[c] += w2[c * HIDDEN + j] * h[j];
        }
      }
      double[] p = softmax(logits);
      double[] mean = new double[HIDDEN * HIDDEN];
      double second = 0;
      for (int y = 0; y < CLASSES; y++) {
        double[] g = new double[HIDDEN];
        for (int j = 0; j < HIDDEN; j++) {
          for (int c = 0; c < CLASSES; c++) {
            g[j] += w2[c * HIDDEN + j] * (p[c] - (c == y ? 1 : 0)) * (1 - h[j] * h[j]);
          }
        }
        for (int i = 0; i < mean.length; i++) {
          double product = g[i / HIDDEN] * g[i % HIDDEN];
          mean[i] += p[y] * product;
          second += p[y] * product * product;
        }
      }
      for (int i = 0; i < mean.length; i++) {
        exact[i] += mean[i] / N;
        second -= mean[i] * mean[i];
      }
      variance += second / (N * N);
    }
    return variance;
  }

  private static double[] softmax(double[] logits) {
    double[] p = new double[logits.length];
    double sum = 0;
    for (int c = 0; c < p.length; c++) {
      p[c] = Math.exp(logits[c]);
      sum += p[c];
    }
    for (int c = 0; c < p.length; c++) {
      p[c] /= sum;
    }
    return p;
  }

  @Test
  void leavesTheGradientsOfTheLossAlone() {
    float[][] gradients = new float[2][];
    for (int i = 0; i < 2; i++) {
      try (Model model = Nets.model(net());
          Trainer trainer = model.newTrainer(Nets.config(0.1f));
          NDManager manager = trainer.getManager().newSubManager()) {
        trainer.initialize(new Shape(N, IN));
        DjlKfac kfac =
            i == 0 ? null : DjlKfac.attach(model, EVERY_STEP, Fisher.monteCarlo(1), backend);
        // twice, so that the second pass adds to the gradients of the first
        Nets.pass(trainer, data(manager));
        Nets.pass(trainer, data(manager));
        gradients[i] = Nets.gradient(model.getBlock().getParameters().get("01Linear_weight"));
        if (kfac != null) {
          kfac.close();
        }
      }
    }
    assertThat(gradients[1]).isEqualTo(gradients[0]);
  }

  @Test
  void theExactPassesGiveTheExactFisher() {
    try (Model model = Nets.model(net());
        DjlKfac kfac = DjlKfac.attach(model, EVERY_STEP, Fisher.exact(), backend);
        Trainer trainer = model.newTrainer(Nets.config(0, 0));
        NDManager manager = trainer.getManager().newSubManager()) {
      trainer.initialize(new Shape(N, IN));
      NDList data = data(manager);
      double[] exact = new double[HIDDEN * HIDDEN];
      exactFisher(Nets.weights(model), data.head().toFloatArray(), exact);
      Nets.pass(trainer, data);
      kfac.precondition();
      double[] g = ((Kfac) kfac.kfac()).state().outputFactor("01Linear");
      for (int i = 0; i < g.length; i++) {
        assertThat(g[i]).isCloseTo(exact[i], within(1e-5 * exact[0]));
      }
    }
  }

  @Test
  void modelsWithSeveralOutputsAreRefused() {
    SequentialBlock block = new SequentialBlock().add(Linear.builder().setUnits(2).build());
    block.setReturnIntermediate(true).add(Linear.builder().setUnits(2).build());
    try (Model model = Nets.model(block);
        DjlKfac kfac = DjlKfac.attach(model, EVERY_STEP, Fisher.monteCarlo(1), backend);
        Trainer trainer = model.newTrainer(Nets.config(0.1f));
        NDManager manager = trainer.getManager().newSubManager()) {
      trainer.initialize(new Shape(N, IN));
      try (GradientCollector collector = trainer.newGradientCollector()) {
        assertThat(collector).isNotNull();
        assertThatIllegalArgumentException()
            .isThrownBy(() -> trainer.forward(new NDList(data(manager).head())))
            .withMessageContaining("one output, but this one has 2");
      }
      assertThat(kfac.layers()).hasSize(2);
    }
  }
}
