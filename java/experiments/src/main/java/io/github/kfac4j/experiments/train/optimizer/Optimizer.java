package io.github.kfac4j.experiments.train.optimizer;

import ai.djl.ndarray.NDArray;
import java.util.Map;

/** Changes parameters in place, given their gradients. */
public interface Optimizer {

  /**
   * One step.
   *
   * @param parameters by name; the same names, order and shapes at every call; updated in place
   * @param gradients by the same names; not modified
   * @param learningRate of this step
   * @param step from 0
   */
  void step(
      Map<String, NDArray> parameters,
      Map<String, NDArray> gradients,
      double learningRate,
      long step);

  /**
   * Arrays that are this optimizer's memory, by unique names; to restore, their content is
   * overwritten. They belong to the optimizer.
   */
  Map<String, NDArray> state();
}
