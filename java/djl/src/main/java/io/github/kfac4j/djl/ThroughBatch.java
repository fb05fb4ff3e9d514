package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.kfac4j.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import java.util.SplittableRandom;

/**
 * Whether a dense layer's gradient can be preconditioned through the batch: {@code dW = ds' a}, so
 * {@code G^-1 dW A^-1 = (ds G^-1)' (a A^-1)}, less work if the layer is wider than the batch.
 */
final class ThroughBatch {
  /** Far above the rounding of a long fp32 sum, far below any change worth the name. */
  private static final double TOLERANCE = 1e-3;

  private ThroughBatch() {}

  /** Compares multiplications. */
  static boolean isCheaper(Layer layer, Shape input) {
    if (!(layer instanceof Dense dense)) {
      return false;
    }
    double in = dense.inFeatures();
    double out = dense.outFeatures();
    double rows = input.size() / in;
    return rows * (in * in + out * out + in * out) < in * out * (in + out);
  }

  /**
   * The observation that gave the gradient, or null if it would not save work or is not known. The
   * gradient is tested on one vector of random signs (Freivalds 1979): it is not {@code ds' a} any
   * more if the loss had a term in the weights, or the program clipped or scaled gradients.
   */
  static Observation source(Capture capture, Pass pass, NDArray gradient) {
    NDArray input = capture.input();
    if (!isCheaper(capture.tap().layer(), input.getShape())) {
      return null;
    }
    NDArray outputGrad = pass.gradient(capture.zeros());
    if (outputGrad == null || !explains(input, outputGrad, gradient)) {
      return null;
    }
    // scaled by N and divided by N again
    return capture.observation(pass, input.getShape().get(0));
  }

  private static boolean explains(NDArray input, NDArray outputGrad, NDArray gradient) {
    Shape weight = gradient.getShape();
    try (NDManager scratch = input.getManager().newSubManager()) {
      scratch.tempAttachAll(input, outputGrad, gradient);
      NDArray signs = signs(weight.get(1), scratch).toType(gradient.getDataType(), false);
      NDArray a = input.reshape(new Shape(-1, weight.get(1)));
      NDArray ds = outputGrad.reshape(new Shape(-1, weight.get(0)));
      NDArray expected = ds.transpose().matMul(a.matMul(signs));
      NDArray actual = gradient.matMul(signs);
      return norm(actual.sub(expected)) <= TOLERANCE * norm(expected);
    }
  }

  private static double norm(NDArray vector) {
    return vector.toType(DataType.FLOAT64, false).norm().getDouble();
  }

  private static NDArray signs(long length, NDManager manager) {
    SplittableRandom random = new SplittableRandom(1);
    float[] signs = new float[Math.toIntExact(length)];
    for (int i = 0; i < signs.length; i++) {
      signs[i] = random.nextBoolean() ? 1 : -1;
    }
    return manager.create(signs, new Shape(length, 1));
  }
}
