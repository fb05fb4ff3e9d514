package io.github.kfac4j.trainer;

import io.github.kfac4j.data.LayerGradient;
import java.util.List;

/**
 * The gradients of a model's parameters where its framework keeps them, as an adapter shows them to
 * a {@link TrainingStep}.
 */
public interface ModelGradients {
  /** Multiplies all gradients there are, of parameters that are trained. */
  void multiply(double factor);

  /** Makes all gradients zeros, whatever they hold: NaN less NaN is none. */
  void clear();

  /** The gradients of the layers that K-FAC has and this step has used. */
  Layers ofLayers();

  /** Gradients of layers, as tensors that K-FAC rewrites. */
  interface Layers {
    /** Views or copies; the tensors stay valid until {@link #store} returns. */
    List<LayerGradient> layers();

    /** Makes the framework's gradients hold what the tensors hold now. */
    void store();
  }
}
