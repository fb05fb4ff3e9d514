package io.github.kfac4j.dl4j;

import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.trainer.ModelLayer;
import java.util.Map;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A layer of a network that K-FAC may precondition. Between {@link #listen} and {@link #stop} there
 * is a stand-in for the part that computes the gradient at its output, or for the layer itself.
 */
class Tap implements ModelLayer {
  private final String name;
  private final org.deeplearning4j.nn.api.Layer layer;
  private final Site site;
  private final Ear ear;
  private HostArray input;
  private HostArray outputGrad;

  /**
   * A tap on a layer of an initialized network.
   *
   * @param ear hears the gradient at its output
   */
  Tap(String name, org.deeplearning4j.nn.api.Layer layer, Site site, Ear ear) {
    this.name = name;
    this.layer = layer;
    this.site = site;
    this.ear = ear;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean trains() {
    return true; // a frozen layer is a layer of another class
  }

  @Override
  public boolean trainsBias() {
    return site.describe().bias();
  }

  @Override
  public Layer describe(boolean bias) {
    return site.describe();
  }

  @Override
  public boolean sharesWeight(ModelLayer other) {
    return other instanceof Tap tap && tap.layer == layer;
  }

  /** The configuration, with updater, activation function and loss. */
  BaseLayer configuration() {
    return (BaseLayer) layer.conf().getLayer();
  }

  /**
   * Listens to the next backward pass.
   *
   * @param failed is run if the layer throws an exception in it
   */
  void listen(Runnable failed) {
    ear.listen(
        new Ear.Listener() {
          @Override
          public void hear(INDArray gradient) {
            Tap.this.hear(gradient);
          }

          @Override
          public void activated(INDArray output) {
            Tap.this.activated(output);
          }

          @Override
          public void failed() {
            failed.run();
          }
        });
  }

  /** Is told of an output that the backward pass computes once more. */
  void activated(INDArray output) {}

  /** Takes what the layer sees while its backward pass runs. */
  void hear(INDArray delta) {
    free();
    input = HostArray.copy(site.input(layer.input()));
    outputGrad = HostArray.copy(site.outputGrad(delta));
    INDArray mask = layer.getMaskArray();
    if (mask != null && site.masksRows()) {
      site.mask(outputGrad.data(), mask.castTo(outputGrad.data().dataType()));
    }
  }

  /** Puts the network back as it was and frees what was heard; idempotent. */
  void stop() {
    ear.stop();
    free();
  }

  void free() {
    if (outputGrad != null) {
      input.close();
      outputGrad.close();
      outputGrad = null;
    }
  }

  /** Whether a backward pass has been heard. */
  boolean heard() {
    return outputGrad != null;
  }

  /** What was heard. */
  Observation observation(double scale, int examples) {
    return new Observation(name, input.tensor(), outputGrad.tensor(), scale, examples);
  }

  /** Views of the gradients of weight and bias. */
  private Map<String, INDArray> views() {
    return configuration()
        .initializer()
        .getGradientsFromFlattened(layer.conf(), layer.getGradientsViewArray());
  }

  /** A view of the weight's gradient, in K-FAC's order. */
  INDArray weightGradient() {
    return site.weight(views().get(site.weightKey()));
  }

  /** A view of the bias's gradient; null if K-FAC has no bias. */
  INDArray biasGradient() {
    INDArray view = views().get(site.biasKey());
    return view == null || !trainsBias() ? null : view.reshape(view.length());
  }
}
