package io.github.kfac4j.dl4j;

import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.layers.OutputLayer;
import org.deeplearning4j.nn.layers.convolution.Convolution1DLayer;
import org.deeplearning4j.nn.layers.convolution.ConvolutionLayer;
import org.deeplearning4j.nn.layers.convolution.Deconvolution2DLayer;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.layers.feedforward.embedding.EmbeddingLayer;
import org.deeplearning4j.nn.layers.feedforward.embedding.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.layers.normalization.BatchNormalization;
import org.deeplearning4j.nn.layers.recurrent.BidirectionalLayer;
import org.deeplearning4j.nn.layers.recurrent.RnnOutputLayer;
import org.deeplearning4j.nn.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;

/** Finds what K-FAC has of a layer. */
final class Sites {
  /** For messages. */
  static final String KNOWN =
      "known are DenseLayer, Convolution1DLayer, ConvolutionLayer, Deconvolution2D, EmbeddingLayer,"
          + " EmbeddingSequenceLayer, SimpleRnn, BatchNormalization, OutputLayer, RnnOutputLayer";

  private Sites() {}

  /**
   * The parts of a layer as K-FAC sees them, as a rule one; none if K-FAC does not know the kind.
   */
  static List<Site> of(Layer layer) {
    if (layer.getClass() == SimpleRnn.class) {
      var rnn = (org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn) layer.conf().getLayer();
      return List.of(new SimpleRnnSite(rnn, false), new SimpleRnnSite(rnn, true));
    }
    Site whole = whole(layer);
    return whole == null ? List.of() : List.of(whole);
  }

  private static Site whole(Layer layer) {
    Class<?> type = layer.getClass(); // a subclass may compute anything
    if (type == DenseLayer.class) {
      DenseLayer dense = (DenseLayer) layer;
      return new DenseSite(dense.layerConf(), dense.hasBias(), dense.hasLayerNorm());
    }
    if (type == OutputLayer.class) {
      OutputLayer output = (OutputLayer) layer;
      return new DenseSite(output.layerConf(), output.hasBias(), false);
    }
    if (type == RnnOutputLayer.class) {
      RnnOutputLayer output = (RnnOutputLayer) layer;
      return new DenseSite(output.layerConf(), output.hasBias(), false);
    }
    var configuration = layer.conf().getLayer();
    if (type == EmbeddingLayer.class || type == EmbeddingSequenceLayer.class) {
      return new EmbeddingSite((FeedForwardLayer) configuration);
    }
    if (type == Deconvolution2DLayer.class) {
      return new DeconvSite((Deconvolution2D) configuration);
    }
    if (type == ConvolutionLayer.class) {
      return new ConvSite((org.deeplearning4j.nn.conf.layers.ConvolutionLayer) configuration);
    }
    if (type == Convolution1DLayer.class) {
      return new Conv1dSite((org.deeplearning4j.nn.conf.layers.Convolution1DLayer) configuration);
    }
    if (type == BatchNormalization.class) {
      return new NormSite((org.deeplearning4j.nn.conf.layers.BatchNormalization) configuration);
    }
    return null;
  }

  /** Why K-FAC does not have a layer that it might be expected to have; else nothing. */
  static String reasonAgainst(Layer layer) {
    if (layer instanceof FrozenLayer || layer instanceof FrozenLayerWithBackprop) {
      return "";
    }
    Layer inside = layer;
    while (inside instanceof BaseWrapperLayer wrapper) {
      inside = wrapper.getUnderlying();
    }
    if (inside instanceof BidirectionalLayer || inside != layer && inside instanceof SimpleRnn) {
      return "it runs what it wraps by itself";
    }
    return inside instanceof RecurrentLayer && !(inside instanceof SimpleRnn)
        ? "its gates are computed within one layer, which does not hand out their gradients"
        : "";
  }
}
