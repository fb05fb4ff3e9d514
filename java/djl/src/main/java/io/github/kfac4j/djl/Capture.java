package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;

/** What a layer saw in a pass. */
final class Capture {
  private final Tap tap;
  private final NDArray input;
  private final NDArray zeros;
  private ArrayView seen;

  /**
   * Captures a use.
   *
   * @param tap of the layer
   * @param input of the layer, as the tap's channels arrange it, sharing its memory where possible
   * @param zeros added to the output; their gradient is that of the output
   */
  Capture(Tap tap, NDArray input, NDArray zeros) {
    this.tap = tap;
    this.input = input;
    this.zeros = zeros;
  }

  Tap tap() {
    return tap;
  }

  /** What K-FAC reads of the input, which is copied once if at all. */
  private Tensor seen(Pass pass) {
    if (seen == null) {
      seen = pass.placement().input(tap, input, pass.examples(), pass.options());
    }
    return seen.tensor();
  }

  /**
   * What the factors are made of, or null if no backward pass reached the layer.
   *
   * @param scale makes the output gradient that of the summed loss
   */
  Observation observation(Pass pass, double scale) {
    NDArray gradient = pass.gradient(zeros);
    if (gradient == null) {
      return null;
    }
    NDArray arranged = tap.channels().arrange(gradient);
    Tensor outputGrad =
        pass.placement().outputGrad(tap, arranged, pass.examples(), pass.options()).tensor();
    return new Observation(tap.name(), seen(pass), outputGrad, scale, pass.examples());
  }

  /** Whether a backward pass reached the layer. */
  boolean hasGradient(Pass pass) {
    return pass.gradient(zeros) != null;
  }

  /** What is known before the backward pass. */
  Observation inputObservation(Pass pass) {
    long[] extents = tap.channels().arrange(zeros.getShape()).getShape();
    return Observation.ofInput(
        tap.name(), seen(pass), Shape.of(Shape.ints(extents)), pass.examples());
  }

  /** Forgets the output gradient of a first backward pass and waits for a second one. */
  void reset() {
    JniUtils.zeroGrad((PtNDArray) zeros);
  }

  /** Lets further backward passes through without keeping the output gradient. */
  void stop() {
    zeros.setRequiresGradient(false);
  }
}
