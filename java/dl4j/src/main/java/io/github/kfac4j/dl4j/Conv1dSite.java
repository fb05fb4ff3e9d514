package io.github.kfac4j.dl4j;

import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Layer;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * {@code Convolution1DLayer} of sequences with their channels second. With {@code
 * ConvolutionMode.Same} and {@code Causal}, which pad the two ends differently, K-FAC is given
 * sequences with their padding.
 */
record Conv1dSite(Convolution1DLayer layer) implements Site {
  @Override
  public Layer describe() {
    if (layer.getRnnDataFormat() != RNNFormat.NCW) {
      throw new IllegalArgumentException("its sequences have their channels last");
    }
    int padding = padsItself() ? 0 : layer.getPadding()[0];
    return new Conv1d(
        Math.toIntExact(layer.getNIn()),
        Math.toIntExact(layer.getNOut()),
        Conv1d.window(
            layer.getKernelSize()[0], layer.getStride()[0], padding, layer.getDilation()[0]),
        1,
        layer.hasBias());
  }

  private boolean padsItself() {
    return layer.getConvolutionMode() == ConvolutionMode.Same
        || layer.getConvolutionMode() == ConvolutionMode.Causal;
  }

  @Override
  public INDArray input(INDArray input) {
    if (!padsItself()) {
      return input;
    }
    long length = input.size(2);
    boolean causal = layer.getConvolutionMode() == ConvolutionMode.Causal;
    long both =
        causal
            ? layer.getDilation()[0] * (layer.getKernelSize()[0] - 1L)
            : ConvSite.padding(layer, 0, length);
    long before = causal ? both : both / 2;
    INDArray padded = Nd4j.create(input.dataType(), input.size(0), input.size(1), length + both);
    padded
        .get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(before, before + length))
        .assign(input);
    return padded;
  }

  /**
   * Deeplearning4j says {@code [out, in, kernel]} and works on the same memory as {@code [kernel,
   * in, out]}.
   */
  @Override
  public INDArray weight(INDArray gradient) {
    return gradient
        .reshape('c', layer.getKernelSize()[0], layer.getNIn(), layer.getNOut())
        .permute(2, 1, 0);
  }
}
