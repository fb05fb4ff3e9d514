package io.github.kfac4j.experiments.train;

import ai.djl.ndarray.NDList;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.Map;

/** What an optimizer does between the backward pass and the next step. */
interface Update extends AutoCloseable {
  /**
   * Changes the weights and clears their gradients.
   *
   * @param inputs of the step
   * @param targets of the step
   * @param step from 0
   */
  void apply(NDList inputs, NDList targets, long step);

  /** Seconds of the last {@link #apply} that went into factors, inverses and preconditioning. */
  double kfacSeconds();

  /** A copy or view of everything remembered between steps, by the name of who remembers. */
  Map<String, Map<String, StoredTensor>> state();

  /** Replaces the memory by what {@link #state} gave. */
  void restore(Map<String, Map<String, StoredTensor>> state);

  @Override
  void close();
}
