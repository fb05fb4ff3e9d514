package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.SplittableRandom;

/**
 * Draws labels from a model's softmax. With p the probabilities and y a drawn label, the gradient
 * of that label's negative log likelihood with respect to the logits is {@code p - onehot(y)}.
 */
final class LabelSampler {
  private final long seed;

  LabelSampler(long seed) {
    this.seed = seed;
  }

  /**
   * Draws a label for each position and returns the gradient of the summed negative log likelihood
   * with respect to the logits. For T positions an example whose loss is a mean, that is divided by
   * the root of T, so that its second moment is the Fisher of the mean.
   *
   * @param logits {@code [N, C]} or {@code [N, ..., C]}
   * @param step the labels are a function of the sampler's seed and of this
   * @param owner of the result
   * @return an array in the shape of the logits
   */
  NDArray logitGradient(NDArray logits, long step, NDManager owner) {
    Shape shape = logits.getShape();
    if (shape.dimension() < 2) {
      throw new IllegalArgumentException(
          "the Monte-Carlo Fisher needs logits [N, ..., C], but the model's output has shape "
              + shape);
    }
    int classes = Math.toIntExact(shape.get(shape.dimension() - 1));
    int rows = Math.toIntExact(shape.size() / classes);
    float scale = (float) (1 / Math.sqrt((double) rows / shape.get(0)));
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.multiplyExact(rows * classes, Float.BYTES))
            .order(ByteOrder.nativeOrder());
    FloatBuffer gradient = bytes.asFloatBuffer();
    float[] row = new float[classes];
    try (NDManager scratch = owner.newSubManager()) {
      NDArray detached = logits.stopGradient();
      detached.attach(scratch);
      FloatBuffer probabilities =
          detached.softmax(-1).toType(DataType.FLOAT32, false).toByteBuffer(true).asFloatBuffer();
      SplittableRandom random = random(step);
      for (int i = 0; i < rows; i++) {
        probabilities.get(row);
        row[draw(row, random.nextDouble())] -= 1;
        for (int c = 0; c < classes; c++) {
          gradient.put(row[c] * scale);
        }
      }
    }
    return owner.create(bytes, shape, DataType.FLOAT32).toType(logits.getDataType(), false);
  }

  private SplittableRandom random(long step) {
    long base = new SplittableRandom(seed).nextLong();
    return new SplittableRandom(new SplittableRandom(base ^ step).nextLong());
  }

  /** The label whose share of the unit interval holds u. */
  private static int draw(float[] probabilities, double u) {
    double sum = 0;
    int label = 0;
    for (int c = 0; c < probabilities.length && u >= sum; c++) {
      if (probabilities[c] > 0) {
        label = c;
        sum += probabilities[c];
      }
    }
    return label;
  }
}
