package io.github.kfac4j.pytorch;

import io.github.kfac4j.layer.Layer;
import org.bytedeco.pytorch.Tensor;

/** A module of PyTorch that may be a layer of K-FAC: its parameters, and what they multiply. */
interface Site {
  /** The weight; undefined if there is none. */
  Tensor weight();

  /** The bias; undefined if there is none. */
  Tensor bias();

  /** The module's own forward pass. */
  Tensor forward(Tensor x);

  /**
   * The layer that the module is.
   *
   * @throws IllegalArgumentException saying why, if K-FAC has no layer that is exactly it
   */
  Layer describe(boolean withBias);

  /** What the weight multiplies, without gradients, for an input of the module. */
  default Tensor seen(Tensor x) {
    return x.detach();
  }

  /** The part of the output's gradient that reaches the weight. */
  default Tensor reaching(Tensor seen, Tensor outputGrad) {
    return outputGrad;
  }

  /** The shape, for K-FAC, of what was seen or of an output's gradient. */
  default int[] shape(long[] sizes) {
    return Sizes.ints(sizes);
  }
}
