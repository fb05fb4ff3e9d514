package io.github.kfac4j.djl;

import io.github.kfac4j.tensor.Tensor;

/** An NDArray as a tensor of K-FAC. */
interface ArrayView {
  /** The data, valid as long as the array and its manager are open. */
  Tensor tensor();

  /** Makes the array hold what was written to the tensor. */
  void store();
}
