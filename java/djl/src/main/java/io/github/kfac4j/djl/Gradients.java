package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import io.github.kfac4j.LayerGradient;
import io.github.kfac4j.Observation;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;

/** The gradients of a step's layers, as host memory. */
final class Gradients {
  private final Pass pass;
  private final List<LayerGradient> layers = new ArrayList<>();
  private final List<HostArray> arrays = new ArrayList<>();

  Gradients(Pass pass) {
    this.pass = pass;
  }

  /**
   * Adds a layer, unless no backward pass ever reached it.
   *
   * @param single whether the pass alone gave the gradient
   */
  void add(Tap tap, boolean single) {
    NDArray gradient = pass.gradient(tap.weight());
    if (gradient == null) {
      return;
    }
    HostTensor weight = host(tap, "weight gradient", gradient);
    HostTensor bias = null;
    if (tap.bias() != null) {
      bias = host(tap, "bias gradient", pass.gradient(tap.bias()));
    }
    Capture capture = pass.capture(tap);
    Observation source =
        single && capture != null ? ThroughBatch.source(capture, pass, gradient) : null;
    layers.add(new LayerGradient(tap.name(), weight, bias, source));
  }

  private HostTensor host(Tap tap, String what, NDArray array) {
    HostArray host = new HostArray(tap.name(), what, array);
    arrays.add(host);
    return host.tensor();
  }

  List<LayerGradient> layers() {
    return layers;
  }

  /** Hands what was written to the layers' tensors back to the engine. */
  void store() {
    arrays.forEach(HostArray::store);
  }

  /** Whether a parameter has a gradient other than zeros. */
  static boolean isPresent(Pass pass, Parameter parameter) {
    NDArray gradient = pass.gradient(parameter);
    return gradient != null && gradient.countNonzero().getLong() > 0;
  }
}
