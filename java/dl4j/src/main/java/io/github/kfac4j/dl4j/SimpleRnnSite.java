package io.github.kfac4j.dl4j;

import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.params.SimpleRnnParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One of the two matrices of a {@code SimpleRnn}, which all time steps share: {@code W}, with the
 * bias, of the inputs, or {@code RW} of the outputs of the step before. Both have the same output.
 */
record SimpleRnnSite(SimpleRnn layer, boolean recurrent) implements Site {
  @Override
  public Layer describe() {
    if (layer.hasLayerNorm()) {
      throw new IllegalArgumentException("it normalises behind its weights");
    }
    int out = Math.toIntExact(layer.getNOut());
    return new Dense(recurrent ? out : Math.toIntExact(layer.getNIn()), out, !recurrent);
  }

  /** {@code [N, T, in]}. */
  @Override
  public INDArray input(INDArray input) {
    return layer.getRnnDataFormat() == RNNFormat.NWC ? input : input.permute(0, 2, 1);
  }

  @Override
  public String weightKey() {
    return recurrent
        ? SimpleRnnParamInitializer.RECURRENT_WEIGHT_KEY
        : SimpleRnnParamInitializer.WEIGHT_KEY;
  }

  @Override
  public INDArray weight(INDArray gradient) {
    return gradient.transpose();
  }
}
