package io.github.kfac4j.trainer;

import io.github.kfac4j.data.Observation;
import io.github.kfac4j.tensor.HostTensor;
import java.util.List;

/**
 * A forward pass in training and the backward passes through it, as the adapter of a framework
 * shows it to a {@link TrainingStep}. It owns what was captured. Its tensors are read during the
 * calls that return them to and not kept.
 */
public interface TrainingPass extends AutoCloseable {
  /** The number of examples N, at least 1. */
  int examples();

  /** Whether what layers see is captured in it, as {@link TrainingStep#wantsNext} asked for. */
  boolean captured();

  /**
   * What the layers saw in the forward pass, {@link Observation#ofInput} once for each use, where
   * the pass was captured.
   */
  List<Observation> inputs();

  /**
   * What the layers saw in the last backward pass, once for each use; uses that it did not reach
   * are left out.
   *
   * @param outputGradScale makes the output gradients those of the summed loss
   */
  List<Observation> observations(double outputGradScale);

  /**
   * Whether any layer took part from which a backward pass brings an observation. None does where
   * all that the pass used are frozen.
   */
  boolean expectsGradients();

  /** Whether a backward pass has reached any of the layers. */
  boolean hasGradients();

  /** Frees what was captured; idempotent. */
  @Override
  void close();

  /**
   * The outputs of the model in this pass, from which an estimator other than the empirical Fisher
   * starts backward passes of its own.
   */
  interface Outputs extends AutoCloseable {
    /** The values, in host memory. */
    HostTensor values();

    /**
     * Runs a backward pass that starts from a gradient at the outputs and ends at the layers'
     * outputs: gradients of parameters stay as they are, and the pass for the real loss can follow.
     * Forgets the output gradients of the one before.
     *
     * @param gradient in the shape and element type of the values
     */
    void backward(HostTensor gradient);

    /** Ends capturing: the layers no longer keep output gradients. Called once, after the last. */
    @Override
    void close();
  }
}
