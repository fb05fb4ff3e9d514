package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.util.PairList;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The table in front of a softmax and behind its inputs, against its definition. */
class TiedEmbeddingTest {
  private static final int WORDS = 7;
  private static final int WIDTH = 3;
  private static final int LENGTH = 4;
  private static final double DAMPING = 0.1;

  /** What is looked up, twice as large, is compared with the whole table. */
  private static final class TinyModel extends AbstractBlock {
    private Block table = addChildBlock("table", new TiedEmbedding(WORDS, WIDTH));

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      NDArray e = table.forward(store, inputs, training).singletonOrThrow();
      return table.forward(store, new NDList(e.add(e)), training);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
      return new Shape[] {inputs[0].add(WORDS)};
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
      table.initialize(manager, type, inputs);
    }
  }

  /** What the factors are made of, in fp64, of the loss of each example. */
  private static final class Brute {
    final double[] rows = new double[WORDS];
    final double[][] columns = new double[WIDTH][WIDTH];
    final double[][] gradient = new double[WORDS][WIDTH];

    /** Adds the tokens of all examples. */
    Brute(long[] ids, long[] labels, float[] w, int examples) {
      int uses = 2 * ids.length; // every token is looked up once and predicted once
      for (int n = 0; n < ids.length; n++) {
        double[] h = new double[WIDTH];
        for (int j = 0; j < WIDTH; j++) {
          h[j] = 2 * w[(int) ids[n] * WIDTH + j];
        }
        double[] g = probabilities(w, h);
        g[(int) labels[n]] -= 1;
        double[] back = new double[WIDTH];
        for (int v = 0; v < WORDS; v++) {
          g[v] /= LENGTH; // the loss of an example is a mean over its tokens
          rows[v] += g[v] * g[v] / examples;
          for (int j = 0; j < WIDTH; j++) {
            back[j] += 2 * g[v] * w[v * WIDTH + j];
            gradient[v][j] += g[v] * h[j] / examples;
          }
        }
        rows[(int) ids[n]] += 1.0 / examples;
        for (int i = 0; i < WIDTH; i++) {
          gradient[(int) ids[n]][i] += back[i] / examples;
          for (int j = 0; j < WIDTH; j++) {
            columns[i][j] += (back[i] * back[j] + h[i] * h[j]) / uses;
          }
        }
      }
    }

    private static double[] probabilities(float[] w, double[] h) {
      double[] p = new double[WORDS];
      double sum = 0;
      for (int v = 0; v < WORDS; v++) {
        for (int j = 0; j < WIDTH; j++) {
          p[v] += w[v * WIDTH + j] * h[j];
        }
        p[v] = Math.exp(p[v]);
        sum += p[v];
      }
      for (int v = 0; v < WORDS; v++) {
        p[v] /= sum;
      }
      return p;
    }

    /** The square root of the ratio of the factors' mean traces. */
    double pi() {
      double a = java.util.Arrays.stream(rows).sum() / WORDS;
      double g = 0;
      for (int j = 0; j < WIDTH; j++) {
        g += columns[j][j] / WIDTH;
      }
      return Math.sqrt(a / g);
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "5"})
  void factorsPoolBothUses(int examples) {
    TinyModel block = new TinyModel();
    KfacOptions options =
        KfacOptions.DEFAULT.withoutKlClip().withDamping(DAMPING).withDecay(0).withIntervals(1, 1);
    try (Backend backend = Backends.require("java");
        Model model = Nets.model(block);
        DjlKfac kfac = DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(new Shape(examples, LENGTH));
      long[] ids = new long[examples * LENGTH];
      long[] labels = new long[ids.length];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = 3L * i * i % 5; // tokens 5 and 6 never occur
        labels[i] = (2L * i + 1) % WORDS;
      }
      Shape shape = new Shape(examples, LENGTH);
      NDManager manager = trainer.getManager();
      NDArray targets = manager.create(labels).toType(DataType.FLOAT32, false);
      try (GradientCollector collector = trainer.newGradientCollector()) {
        NDList output = trainer.forward(new NDList(manager.create(ids, shape)));
        NDArray logits = output.singletonOrThrow().reshape(-1, WORDS);
        Loss loss = Loss.softmaxCrossEntropyLoss();
        collector.backward(loss.evaluate(new NDList(targets), new NDList(logits)));
      }
      assertThat(kfac.layers()).containsExactly("01table");
      assertThat(kfac.unsupportedLayers()).isEmpty();
      NDArray table = block.getParameters().valueAt(0).getArray();
      Brute brute = new Brute(ids, labels, table.toFloatArray(), examples);
      float[] before = table.getGradient().toFloatArray();
      for (int v = 0; v < WORDS; v++) {
        for (int j = 0; j < WIDTH; j++) {
          assertThat(before[v * WIDTH + j]).isCloseTo((float) brute.gradient[v][j], within(1e-6f));
        }
      }
      kfac.precondition();
      double[] a = ((Kfac) kfac.kfac()).state().inputFactor("01table");
      double[] g = ((Kfac) kfac.kfac()).state().outputFactor("01table");
      for (int v = 0; v < WORDS; v++) {
        assertThat(a[v]).as("row %d", v).isCloseTo(brute.rows[v], within(1e-6));
      }
      for (int i = 0; i < WIDTH; i++) {
        for (int j = 0; j < WIDTH; j++) {
          assertThat(g[i * WIDTH + j]).isCloseTo(brute.columns[i][j], within(1e-6));
        }
      }
      assertSolves(table.getGradient().toFloatArray(), brute);
      trainer.step();
    }
  }

  /** {@code (diag(r) + pi sqrt(damping)) U (C + sqrt(damping) / pi)} is the gradient. */
  private static void assertSolves(float[] u, Brute brute) {
    double rowDamping = brute.pi() * Math.sqrt(DAMPING);
    double columnDamping = Math.sqrt(DAMPING) / brute.pi();
    for (int v = 0; v < WORDS; v++) {
      for (int j = 0; j < WIDTH; j++) {
        double product = 0;
        for (int k = 0; k < WIDTH; k++) {
          product += u[v * WIDTH + k] * (brute.columns[k][j] + (k == j ? columnDamping : 0));
        }
        product *= brute.rows[v] + rowDamping;
        assertThat(product).as("%d, %d", v, j).isCloseTo(brute.gradient[v][j], within(1e-6));
      }
    }
  }

  @Test
  void theTypeOfTheInputTellsTheUsesApart() {
    TiedEmbedding block = new TiedEmbedding(WORDS, WIDTH);
    try (NDManager manager = NDManager.newBaseManager()) {
      Shape[] ids = {new Shape(2, LENGTH)};
      Shape[] features = {new Shape(2, LENGTH, WIDTH)};
      DataType[] whole = {DataType.INT64};
      DataType[] floats = {DataType.FLOAT32};
      assertThat(block.getOutputShapes(ids, whole)[0]).isEqualTo(new Shape(2, LENGTH, WIDTH));
      assertThat(block.getOutputShapes(features, floats)[0]).isEqualTo(new Shape(2, LENGTH, WORDS));
      block.initialize(manager, DataType.FLOAT32, ids);
      float[] w = block.getParameters().valueAt(0).getArray().toFloatArray();
      ParameterStore store = new ParameterStore(manager, false);
      NDArray row = block.forward(store, new NDList(manager.create(new int[] {4})), false).head();
      assertThat(row.toFloatArray()).containsExactly(java.util.Arrays.copyOfRange(w, 12, 15));
      NDArray logits = block.forward(store, new NDList(row), false).head();
      assertThat(logits.getShape()).isEqualTo(new Shape(1, WORDS));
      float expected = w[12] * w[18] + w[13] * w[19] + w[14] * w[20];
      assertThat(logits.getFloat(0, 6)).isCloseTo(expected, within(1e-6f));
    }
  }
}
