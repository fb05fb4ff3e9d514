package io.github.kfac4j.dl4j;

import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Broadcast;

/**
 * The table of an {@code EmbeddingLayer} or an {@code EmbeddingSequenceLayer}; a bias is left to
 * the updater.
 */
record EmbeddingSite(FeedForwardLayer layer) implements Site {
  @Override
  public Layer describe() {
    return new Embedding(Math.toIntExact(layer.getNIn()), Math.toIntExact(layer.getNOut()));
  }

  /** Row numbers {@code [N]} or {@code [N, T]}. */
  @Override
  public INDArray input(INDArray input) {
    long examples = input.size(0);
    return isSequence()
        ? input.reshape(examples, input.length() / examples)
        : input.reshape(examples);
  }

  /** {@code [N, width]} or {@code [N, T, width]}. */
  @Override
  public INDArray outputGrad(INDArray delta) {
    boolean channelsSecond =
        layer instanceof EmbeddingSequenceLayer sequence
            && sequence.getOutputFormat() == RNNFormat.NCW;
    return channelsSecond ? delta.permute(0, 2, 1) : delta;
  }

  @Override
  public boolean masksRows() {
    return true;
  }

  @Override
  public void mask(INDArray outputGrad, INDArray mask) {
    if (isSequence()) {
      Broadcast.mul(outputGrad, mask, outputGrad, 0, 1);
    } else {
      outputGrad.muliColumnVector(mask);
    }
  }

  private boolean isSequence() {
    return layer instanceof EmbeddingSequenceLayer;
  }
}
