package io.github.kfac4j.pytorch;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.ModelGradients;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** The gradients of a network's parameters. */
final class Gradients implements ModelGradients {
  private final Module net;
  private final List<Tap> taps;
  private final Placement placement;
  private final Supplier<KfacOptions> options;
  private final Predicate<Tap> used;

  /**
   * Those of a network.
   *
   * @param options of K-FAC now
   * @param used whether a layer took part in the step
   */
  Gradients(
      Module net,
      List<Tap> taps,
      Placement placement,
      Supplier<KfacOptions> options,
      Predicate<Tap> used) {
    this.options = options;
    this.net = net;
    this.taps = taps;
    this.placement = placement;
    this.used = used;
  }

  @Override
  public void multiply(double factor) {
    each(gradient -> gradient.mul_(new Scalar(factor)));
  }

  @Override
  public void clear() {
    each(Tensor::zero_);
  }

  @SuppressWarnings("try") // the scope frees what is made inside it
  private void each(Consumer<Tensor> change) {
    boolean graphs = GradMode.is_enabled();
    GradMode.set_enabled(false);
    try (PointerScope scope = new PointerScope()) {
      TensorVector parameters = net.parameters();
      for (long i = 0; i < parameters.size(); i++) {
        Tensor parameter = parameters.get(i);
        if (parameter.requires_grad() && parameter.grad().defined()) {
          change.accept(parameter.grad());
        }
      }
    } finally {
      GradMode.set_enabled(graphs);
    }
  }

  @Override
  public Layers ofLayers() {
    List<LayerGradient> gradients = new ArrayList<>();
    List<View> views = new ArrayList<>();
    for (Tap tap : taps) {
      if (tap.active() && used.test(tap) && present(tap)) {
        Layer layer = tap.layer();
        View weight =
            placement.gradient(tap, tap.weight().grad(), layer.weightShape(), options.get());
        views.add(weight);
        View bias = null;
        if (layer.bias()) {
          bias = placement.gradient(tap, tap.bias().grad(), layer.biasShape(), options.get());
          views.add(bias);
        }
        gradients.add(
            new LayerGradient(tap.name(), weight.tensor(), bias == null ? null : bias.tensor()));
      }
    }
    return new Viewed(gradients, views);
  }

  private static boolean present(Tap tap) {
    return tap.weight().grad().defined() && (!tap.layer().bias() || tap.bias().grad().defined());
  }

  /** Gradients in the memory of PyTorch, or copies that go back there. */
  private record Viewed(List<LayerGradient> layers, List<View> views) implements Layers {
    @Override
    public void store() {
      boolean graphs = GradMode.is_enabled();
      GradMode.set_enabled(false);
      try {
        views.forEach(View::store);
      } finally {
        GradMode.set_enabled(graphs);
      }
      views.forEach(View::close);
    }
  }
}
