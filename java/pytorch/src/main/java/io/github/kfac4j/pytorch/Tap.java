package io.github.kfac4j.pytorch;

import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.trainer.ModelLayer;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;

/** A weight of the network that K-FAC may precondition, and the module it belongs to. */
final class Tap implements ModelLayer, AutoCloseable {
  private final String name;
  private final Site site;
  private final Module owner;
  private Layer layer;

  /**
   * A tap on a module.
   *
   * @param name of the layer
   * @param owner keeps what the site points to; closed with the tap
   */
  Tap(String name, Site site, Module owner) {
    this.name = name;
    this.site = site;
    this.owner = owner;
  }

  @Override
  public String name() {
    return name;
  }

  Site site() {
    return site;
  }

  Tensor weight() {
    return site.weight();
  }

  /** The bias, if K-FAC has it; else null. */
  Tensor bias() {
    return layer.bias() ? site.bias() : null;
  }

  @Override
  public boolean trains() {
    return weight().requires_grad();
  }

  @Override
  public boolean trainsBias() {
    Tensor bias = site.bias();
    return bias.defined() && bias.requires_grad();
  }

  @Override
  public Layer describe(boolean withBias) {
    return site.describe(withBias);
  }

  /** What K-FAC has the layer as; null if it has none. */
  Layer layer() {
    return layer;
  }

  @Override
  public boolean sharesWeight(ModelLayer other) {
    return other instanceof Tap tap
        && tap.weight().unsafeGetTensorImpl().address() == weight().unsafeGetTensorImpl().address();
  }

  @Override
  public void describeAs(Layer value) {
    layer = value;
  }

  /** Whether K-FAC has the layer and it is trained now. */
  boolean active() {
    return layer != null && trains();
  }

  @Override
  public void close() {
    owner.close();
  }
}
