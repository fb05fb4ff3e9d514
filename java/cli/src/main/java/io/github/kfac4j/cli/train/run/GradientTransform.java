package io.github.kfac4j.cli.train.run;

import io.github.kfac4j.safetensors.StoredTensor;
import java.util.Map;

/**
 * Rewrites the gradients of a network in place, between the backward pass and the optimizer: the
 * place where K-FAC stands.
 */
interface GradientTransform extends AutoCloseable {

  /** Called once per step, after the backward pass of the batch. */
  void apply();

  /** A copy or view of everything remembered between steps. */
  Map<String, StoredTensor> state();

  /** Replaces the memory by what {@link #state} gave. */
  void restore(Map<String, StoredTensor> state);

  @Override
  void close();
}
