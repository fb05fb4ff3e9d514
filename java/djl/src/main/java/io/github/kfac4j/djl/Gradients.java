package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.trainer.ModelGradients;
import java.util.ArrayList;
import java.util.List;

/** The gradients of a step's layers, as host memory. */
final class Gradients implements ModelGradients.Layers {
  private final Pass pass;
  private final boolean burnIn;
  private final List<LayerGradient> layers = new ArrayList<>();
  private final List<HostArray> arrays = new ArrayList<>();

  /**
   * None yet.
   *
   * @param burnIn whether the step is to change nothing
   */
  Gradients(Pass pass, boolean burnIn) {
    this.pass = pass;
    this.burnIn = burnIn;
  }

  /** Adds a layer, unless no backward pass ever reached it. */
  void add(Tap tap) {
    NDArray gradient = pass.gradient(tap.weight());
    if (gradient == null) {
      return;
    }
    HostTensor weight = host(tap, "weight gradient", gradient);
    HostTensor bias = null;
    if (tap.bias() != null) {
      bias = host(tap, "bias gradient", pass.gradient(tap.bias()));
    }
    layers.add(new LayerGradient(tap.name(), weight, bias));
  }

  private HostTensor host(Tap tap, String what, NDArray array) {
    HostArray host = tap.channels().host(tap.name(), what, array);
    arrays.add(host);
    return host.tensor();
  }

  @Override
  public List<LayerGradient> layers() {
    return layers;
  }

  @Override
  public void store() {
    if (burnIn) {
      markPresent();
    }
    arrays.forEach(HostArray::store);
  }

  /**
   * Lets one element differ from zero by less than any update can carry: DJL's trainer takes
   * gradients of nothing but zeros for a forgotten backward pass, which a step that must change
   * nothing is not.
   */
  private void markPresent() {
    if (!layers.isEmpty()) {
      ((HostTensor) layers.get(0).weight()).write(0, new double[] {Float.MIN_VALUE}, 0, 1);
    }
  }

  /** Whether a parameter has a gradient other than zeros. */
  static boolean isPresent(Pass pass, Parameter parameter) {
    NDArray gradient = pass.gradient(parameter);
    return gradient != null && gradient.countNonzero().getLong() > 0;
  }
}
