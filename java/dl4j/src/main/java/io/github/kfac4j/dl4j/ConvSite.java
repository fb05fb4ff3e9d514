package io.github.kfac4j.dl4j;

import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * {@code ConvolutionLayer}. Deeplearning4j hands its activation function channels first, whatever
 * the layout of the images. With {@code ConvolutionMode.Same}, whose padding depends on the size of
 * the image and may be wider at the bottom and on the right, K-FAC is given images with their
 * padding.
 */
record ConvSite(ConvolutionLayer layer) implements Site {
  @Override
  public Layer describe() {
    Window window = window(layer, same() ? new int[2] : layer.getPadding());
    int in = Math.toIntExact(layer.getNIn());
    int out = Math.toIntExact(layer.getNOut());
    return new Conv2d(in, out, window, 1, layer.hasBias(), ImageLayout.NCHW);
  }

  /** The window of a convolution, or of its transpose. */
  static Window window(ConvolutionLayer layer, int[] padding) {
    return new Window(
        layer.getKernelSize()[0],
        layer.getKernelSize()[1],
        layer.getStride()[0],
        layer.getStride()[1],
        padding[0],
        padding[1],
        layer.getDilation()[0],
        layer.getDilation()[1]);
  }

  private boolean same() {
    return layer.getConvolutionMode() == ConvolutionMode.Same;
  }

  @Override
  public INDArray input(INDArray input) {
    boolean channelsLast = layer.getCnn2dDataFormat() == CNN2DFormat.NHWC;
    INDArray images = channelsLast ? input.permute(0, 3, 1, 2) : input;
    return same() ? padded(images) : images;
  }

  private INDArray padded(INDArray images) {
    long height = images.size(2);
    long width = images.size(3);
    long rows = padding(layer, 0, height);
    long columns = padding(layer, 1, width);
    INDArray padded =
        Nd4j.create(
            images.dataType(), images.size(0), images.size(1), height + rows, width + columns);
    padded
        .get(
            NDArrayIndex.all(),
            NDArrayIndex.all(),
            NDArrayIndex.interval(rows / 2, rows / 2 + height),
            NDArrayIndex.interval(columns / 2, columns / 2 + width))
        .assign(images);
    return padded;
  }

  /** What {@code ConvolutionMode.Same} pads on both sides together. */
  static long padding(ConvolutionLayer layer, int axis, long size) {
    long stride = layer.getStride()[axis];
    long reach = layer.getDilation()[axis] * (layer.getKernelSize()[axis] - 1L) + 1;
    long outputs = (size + stride - 1) / stride;
    return Math.max(0, (outputs - 1) * stride + reach - size);
  }
}
