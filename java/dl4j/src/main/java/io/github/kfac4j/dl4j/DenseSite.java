package io.github.kfac4j.dl4j;

import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@code DenseLayer}, {@code OutputLayer} and {@code RnnOutputLayer}: rows, as many as there are
 * examples and time steps, and a weight of {@code [nIn, nOut]}.
 *
 * @param normalised whether a layer normalisation stands between weight and activation function
 */
record DenseSite(FeedForwardLayer layer, boolean bias, boolean normalised) implements Site {
  @Override
  public Layer describe() {
    if (normalised) {
      throw new IllegalArgumentException("it normalises behind its weight");
    }
    return new Dense(Math.toIntExact(layer.getNIn()), Math.toIntExact(layer.getNOut()), bias);
  }

  @Override
  public boolean masksRows() {
    return !(layer instanceof BaseOutputLayer);
  }

  @Override
  public INDArray weight(INDArray gradient) {
    return gradient.transpose();
  }
}
