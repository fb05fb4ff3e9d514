package io.github.kfac4j.dl4j;

import io.github.kfac4j.backend.Window;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Layer;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code Deconvolution2D} of images with their channels first. */
record DeconvSite(Deconvolution2D layer) implements Site {
  @Override
  public Layer describe() {
    if (layer.getConvolutionMode() == ConvolutionMode.Same) {
      throw new IllegalArgumentException("its padding depends on the size of the image");
    }
    if (layer.getCnn2dDataFormat() != CNN2DFormat.NCHW) {
      throw new IllegalArgumentException("its images have their channels last");
    }
    Window window =
        new Window(
            layer.getKernelSize()[0],
            layer.getKernelSize()[1],
            layer.getStride()[0],
            layer.getStride()[1],
            layer.getPadding()[0],
            layer.getPadding()[1],
            layer.getDilation()[0],
            layer.getDilation()[1]);
    int in = Math.toIntExact(layer.getNIn());
    int out = Math.toIntExact(layer.getNOut());
    return new ConvTranspose2d(in, out, window, 1, layer.hasBias());
  }

  @Override
  public INDArray input(INDArray input) {
    return input;
  }

  @Override
  public INDArray outputGrad(INDArray delta) {
    return delta;
  }

  @Override
  public boolean masksRows() {
    return false;
  }

  @Override
  public INDArray weight(INDArray gradient) {
    return gradient;
  }
}
