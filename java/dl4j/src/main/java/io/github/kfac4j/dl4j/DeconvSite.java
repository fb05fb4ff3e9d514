package io.github.kfac4j.dl4j;

import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.samples.Window;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;

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
    Window window = ConvSite.window(layer, layer.getPadding());
    int in = Math.toIntExact(layer.getNIn());
    int out = Math.toIntExact(layer.getNOut());
    return new ConvTranspose2d(in, out, window, 1, layer.hasBias());
  }
}
