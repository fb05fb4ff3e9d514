package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.tensor.Shape;
import java.util.Arrays;

/**
 * What a layer saw in a pass.
 *
 * @param tap of the layer
 * @param input of the layer, as the tap's channels arrange it, sharing its memory where possible
 * @param zeros added to the output; their gradient is that of the output
 */
record Capture(Tap tap, NDArray input, NDArray zeros) {
  /**
   * What the factors are made of, or null if no backward pass reached the layer.
   *
   * @param scale makes the output gradient that of the summed loss
   */
  Observation observation(Pass pass, double scale) {
    NDArray outputGrad = pass.gradient(zeros);
    if (outputGrad == null) {
      return null;
    }
    return new Observation(
        tap.name(),
        new HostArray(tap.name(), "input", input).tensor(),
        new HostArray(tap.name(), "output gradient", tap.channels().arrange(outputGrad)).tensor(),
        scale,
        pass.examples());
  }

  /** Whether a backward pass reached the layer. */
  boolean hasGradient(Pass pass) {
    return pass.gradient(zeros) != null;
  }

  /** What is known before the backward pass. */
  Observation inputObservation(Pass pass) {
    long[] extents = tap.channels().arrange(zeros.getShape()).getShape();
    int[] shape = Arrays.stream(extents).mapToInt(Math::toIntExact).toArray();
    return Observation.ofInput(
        tap.name(),
        new HostArray(tap.name(), "input", input).tensor(),
        Shape.of(shape),
        pass.examples());
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
