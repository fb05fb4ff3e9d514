package io.github.kfac4j.dl4j;

import io.github.kfac4j.layer.Layer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A layer of Deeplearning4j as K-FAC sees it: what it is, and how its arrays lie. */
interface Site {
  /**
   * Reads off the configuration what it is.
   *
   * @throws IllegalArgumentException saying why, if it cannot be mapped exactly
   */
  Layer describe();

  /** The input that the weight was multiplied by, as K-FAC takes it: a view, or a new array. */
  default INDArray input(INDArray input) {
    return input;
  }

  /** The gradient at the layer's output before its activation function, as K-FAC takes it. */
  default INDArray outputGrad(INDArray delta) {
    return delta;
  }

  /**
   * Whether the layer multiplies the gradient at its output by the mask of its rows before it makes
   * use of it; losses have done so already, and convolutions do not.
   */
  default boolean masksRows() {
    return false;
  }

  /** Multiplies a gradient at the output, as K-FAC takes it, by the mask of its rows. */
  default void mask(INDArray outputGrad, INDArray mask) {
    outputGrad.muliColumnVector(mask);
  }

  /** The name of the weight among the parameters. */
  default String weightKey() {
    return DefaultParamInitializer.WEIGHT_KEY;
  }

  /** The name of the bias among the parameters. */
  default String biasKey() {
    return DefaultParamInitializer.BIAS_KEY;
  }

  /** A view of the gradient of the weight, with the dimensions in K-FAC's order. */
  default INDArray weight(INDArray gradient) {
    return gradient;
  }
}
