package io.github.kfac4j.examples;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/** A trainer without any framework, on arrays: two dense layers and a softmax. */
public final class OwnTrainer {
  private static final int BATCH = 64;
  private static final int IN = Images.SIZE * Images.SIZE;
  private static final int HIDDEN = 32;
  private static final int OUT = Images.CLASSES;
  private static final float RATE = 0.1f;

  /** Weights are {@code [out, in]}. */
  private final float[] w1 = random(HIDDEN * IN, Math.sqrt(2.0 / IN));

  private final float[] b1 = new float[HIDDEN];
  private final float[] w2 = random(OUT * HIDDEN, Math.sqrt(2.0 / HIDDEN));
  private final float[] b2 = new float[OUT];

  private OwnTrainer() {}

  /** Trains 40 steps. */
  public static void main(String[] args) {
    Images images = Images.training(20 * BATCH);
    OwnTrainer trainer = new OwnTrainer();
    KfacOptions options =
        KfacOptions.DEFAULT.withDamping(0.1).withIntervals(1, 10).withKlClip(0.1, RATE);
    Map<String, Dense> layers =
        Map.of("hidden", Dense.of(IN, HIDDEN), "head", Dense.of(HIDDEN, OUT));
    try (Backend backend = Backends.best();
        Kfac kfac = new Kfac(backend, Map.copyOf(layers), options)) {
      double sum = 0;
      for (int step = 1; step <= 40; step++) {
        sum += trainer.step(kfac, images.batch(step - 1, BATCH));
        if (step % 20 == 0) {
          System.out.printf(Locale.ROOT, "step %d mean loss %.3f%n", step, sum / 20);
          sum = 0;
        }
      }
    }
  }

  private double step(Kfac kfac, Images batch) {
    float[] x = batch.pixels();
    float[] h = affine(x, w1, b1, IN, HIDDEN);
    for (int i = 0; i < h.length; i++) {
      h[i] = Math.max(0, h[i]);
    }
    float[] outputs = affine(h, w2, b2, HIDDEN, OUT);

    // gradients of the mean loss at the outputs of both layers
    float[] g2 = new float[BATCH * OUT];
    double loss = softmaxLoss(outputs, batch.classes(), g2);
    float[] g1 = new float[BATCH * HIDDEN];
    for (int n = 0; n < BATCH; n++) {
      for (int o = 0; o < OUT; o++) {
        for (int i = 0; i < HIDDEN; i++) {
          g1[n * HIDDEN + i] += h[n * HIDDEN + i] > 0 ? g2[n * OUT + o] * w2[o * HIDDEN + i] : 0;
        }
      }
    }
    float[] dw1 = weightGradient(x, g1, IN, HIDDEN);
    float[] db1 = biasGradient(g1, HIDDEN);
    float[] dw2 = weightGradient(h, g2, HIDDEN, OUT);
    float[] db2 = biasGradient(g2, OUT);

    // K-FAC
    kfac.step(
        List.of(
            Observation.ofMeanLoss(
                "hidden", HostTensor.of(x, BATCH, IN), HostTensor.of(g1, BATCH, HIDDEN)),
            Observation.ofMeanLoss(
                "head", HostTensor.of(h, BATCH, HIDDEN), HostTensor.of(g2, BATCH, OUT))),
        List.of(
            new LayerGradient("hidden", HostTensor.of(dw1, HIDDEN, IN), HostTensor.of(db1, HIDDEN)),
            new LayerGradient("head", HostTensor.of(dw2, OUT, HIDDEN), HostTensor.of(db2, OUT))));

    descend(w1, dw1);
    descend(b1, db1);
    descend(w2, dw2);
    descend(b2, db2);
    return loss;
  }

  private static float[] affine(float[] x, float[] w, float[] b, int in, int out) {
    float[] y = new float[BATCH * out];
    for (int n = 0; n < BATCH; n++) {
      for (int o = 0; o < out; o++) {
        float sum = b[o];
        for (int i = 0; i < in; i++) {
          sum += w[o * in + i] * x[n * in + i];
        }
        y[n * out + o] = sum;
      }
    }
    return y;
  }

  private static double softmaxLoss(float[] outputs, float[] classes, float[] gradient) {
    double loss = 0;
    for (int n = 0; n < BATCH; n++) {
      double sum = 0;
      for (int o = 0; o < OUT; o++) {
        sum += Math.exp(outputs[n * OUT + o]);
      }
      int label = (int) classes[n];
      loss -= (outputs[n * OUT + label] - Math.log(sum)) / BATCH;
      for (int o = 0; o < OUT; o++) {
        double p = Math.exp(outputs[n * OUT + o]) / sum;
        gradient[n * OUT + o] = (float) ((p - (o == label ? 1 : 0)) / BATCH);
      }
    }
    return loss;
  }

  private static float[] weightGradient(float[] x, float[] g, int in, int out) {
    float[] dw = new float[out * in];
    for (int n = 0; n < BATCH; n++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          dw[o * in + i] += g[n * out + o] * x[n * in + i];
        }
      }
    }
    return dw;
  }

  private static float[] biasGradient(float[] g, int out) {
    float[] db = new float[out];
    for (int i = 0; i < g.length; i++) {
      db[i % out] += g[i];
    }
    return db;
  }

  private static void descend(float[] weights, float[] gradient) {
    for (int i = 0; i < weights.length; i++) {
      weights[i] -= RATE * gradient[i];
    }
  }

  private static float[] random(int size, double deviation) {
    Random random = new Random(size);
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) (random.nextGaussian() * deviation);
    }
    return values;
  }
}
