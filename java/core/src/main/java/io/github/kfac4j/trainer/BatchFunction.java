package io.github.kfac4j.trainer;

import io.github.kfac4j.tensor.HostTensor;
import java.util.List;
import java.util.Map;

/**
 * The loss of the current batch as a function of the weights, by which a trainer lets {@link
 * KfacOptimizer} measure steps. Both methods read the weights as they are when they are called.
 */
public interface BatchFunction {
  /** The mean loss, without weight decay. */
  double loss();

  /**
   * The products {@code d_i' F d_j}, where F is the exact Fisher of the outputs' distribution:
   * {@code J' F_R J} ({@link io.github.kfac4j.fisher.OutputLoss#curvature}).
   *
   * @param directions in the weights: each has a tensor for every parameter, by name
   * @throws UnsupportedOperationException if the trainer has no Jacobian-vector products
   */
  double[][] curvature(List<Map<String, HostTensor>> directions);
}
