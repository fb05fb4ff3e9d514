package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.tensor.Tensor;
import io.github.kfac4j.trainer.ModelGradients;
import java.util.ArrayList;
import java.util.List;

/** The gradients of a step's layers, as K-FAC rewrites them. */
final class Gradients implements ModelGradients.Layers {
  private final Pass pass;
  private final boolean burnIn;
  private final List<LayerGradient> layers = new ArrayList<>();
  private final List<ArrayView> arrays = new ArrayList<>();
  private NDArray first;

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
    addOther(gradient);
    Tensor weight = view(tap, "weight gradient", gradient);
    Tensor bias = null;
    if (tap.bias() != null) {
      bias = view(tap, "bias gradient", pass.gradient(tap.bias()));
    }
    layers.add(new LayerGradient(tap.name(), weight, bias));
  }

  /** Adds a gradient that K-FAC does not rewrite. */
  void addOther(NDArray gradient) {
    first = first == null ? gradient : first;
  }

  private Tensor view(Tap tap, String what, NDArray array) {
    ArrayView view = pass.placement().gradient(tap, what, array, pass.options());
    arrays.add(view);
    return view.tensor();
  }

  @Override
  public List<LayerGradient> layers() {
    return layers;
  }

  @Override
  public void store() {
    arrays.forEach(ArrayView::store);
    if (burnIn && first != null) {
      markPresent();
    }
  }

  /**
   * Lets one element, on a GPU those of one array, differ from zero by less than any update can
   * carry: DJL's trainer takes gradients of nothing but zeros for a forgotten backward pass, which
   * a step that must change nothing is not.
   */
  private void markPresent() {
    if (first.getDevice().isGpu()) {
      first.addi(Float.MIN_VALUE);
    } else {
      HostArray array = new HostArray("of the model", "gradient", first);
      array.tensor().write(0, new double[] {Float.MIN_VALUE}, 0, 1);
      array.store();
    }
  }

  /** Whether a parameter has a gradient other than zeros. */
  static boolean isPresent(Pass pass, Parameter parameter) {
    NDArray gradient = pass.gradient(parameter);
    return gradient != null && gradient.countNonzero().getLong() > 0;
  }
}
