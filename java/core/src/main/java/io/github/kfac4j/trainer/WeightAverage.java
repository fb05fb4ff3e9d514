package io.github.kfac4j.trainer;

import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.InPlace;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The exponential moving average of weights, {@code average = decay average + (1 - decay) W}, from
 * the initial weights on: less noise at the end of training with small batches (Zhang et al. 2019).
 */
public final class WeightAverage {
  private static final String PREFIX = "average.";

  private final double decay;
  private final Map<String, HostTensor> weights;
  private final Map<String, HostTensor> average;
  private boolean swapped;

  /**
   * Starts with the weights as they are.
   *
   * @param weights views that stay valid, by name
   * @param decay in [0, 1)
   * @throws IllegalArgumentException if the decay is out of range, or naming a weight that cannot
   *     be exchanged, because it is in a read-only buffer or shares memory with another
   */
  public WeightAverage(Map<String, HostTensor> weights, double decay) {
    if (!(decay >= 0 && decay < 1)) {
      throw new IllegalArgumentException(
          "the decay of the weights' average must be in [0, 1) but is " + decay);
    }
    InPlace exchanged = new InPlace("exchanged");
    weights.forEach(
        (name, one) -> exchanged.add("parameter '%s': the weight".formatted(name), one));
    exchanged.requireApart();
    this.decay = decay;
    this.weights = new LinkedHashMap<>(weights);
    this.average = Tensors.copy(weights);
  }

  /**
   * Takes the weights into the average; call it after each step.
   *
   * @throws IllegalStateException while the average is in the weights' place
   */
  public void update() {
    if (swapped) {
      throw new IllegalStateException("the weights are swapped for their average: swap back first");
    }
    Tensors.combine(average, decay, weights, 1 - decay);
  }

  /** Exchanges weights and average, for an evaluation; the next call exchanges them back. */
  public void swap() {
    Map<String, HostTensor> copy = Tensors.copy(weights);
    Tensors.combine(weights, 0, average, 1);
    Tensors.combine(average, 0, copy, 1);
    swapped = !swapped;
  }

  /** A copy of the average as named tensors. */
  public Map<String, StoredTensor> toTensors() {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    Tensors.store(average, PREFIX, tensors);
    return tensors;
  }

  /**
   * Replaces the average by what {@link #toTensors} gave.
   *
   * @throws IllegalArgumentException naming the first tensor that is missing or does not fit; the
   *     average is unchanged then
   */
  public void restore(Map<String, StoredTensor> tensors) {
    Tensors.requireStored(average, PREFIX, tensors);
    Tensors.restore(average, PREFIX, tensors);
  }
}
