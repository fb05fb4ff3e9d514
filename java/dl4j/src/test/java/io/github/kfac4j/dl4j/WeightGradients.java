package io.github.kfac4j.dl4j;

import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;

/** Gradients of weights by their definition, as literal loops. */
final class WeightGradients {
  private WeightGradients() {}

  /** That of a layer, from what it saw. */
  static double[] of(Layer layer, Observation seen, double divisor) {
    HostTensor input = (HostTensor) seen.input();
    HostTensor grad = (HostTensor) seen.outputGrad();
    if (layer instanceof Embedding table) {
      return embedding(table, input.toArray(), grad.toArray(), divisor);
    }
    if (layer instanceof ScaleShift norm) {
      return scale(norm, input, grad.toArray(), divisor);
    }
    if (layer instanceof Conv1d conv) {
      return convolution(
          Conv2d.of(conv.inChannels(), conv.outChannels(), conv.window()),
          row(input),
          row(grad),
          divisor);
    }
    if (layer instanceof ConvTranspose2d conv) {
      return deconvolution(conv, input, grad, divisor);
    }
    return layer instanceof Conv2d conv
        ? convolution(conv, input, grad, divisor)
        : dense((Dense) layer, input.toArray(), grad.toArray(), divisor);
  }

  /** Sequences as images of one row. */
  private static HostTensor row(HostTensor sequences) {
    Shape shape = sequences.shape();
    return HostTensor.of(sequences.toArray(), shape.get(0), shape.get(1), 1, shape.get(2));
  }

  private static double[] scale(ScaleShift norm, HostTensor input, double[] g, double divisor) {
    double[] x = input.toArray();
    double[] sum = new double[norm.channels()];
    int positions = x.length / input.shape().get(0) / norm.channels();
    for (int i = 0; i < x.length; i++) {
      sum[i / positions % norm.channels()] += x[i] * g[i] / divisor;
    }
    return sum;
  }

  private static double[] dense(Dense layer, double[] a, double[] g, double divisor) {
    int in = layer.inFeatures();
    int out = layer.outFeatures();
    double[] sum = new double[out * in];
    for (int row = 0; row < a.length / in; row++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          sum[o * in + i] += g[row * out + o] * a[row * in + i] / divisor;
        }
      }
    }
    return sum;
  }

  private static double[] embedding(Embedding table, double[] rows, double[] g, double divisor) {
    int width = table.width();
    double[] sum = new double[table.vocabulary() * width];
    for (int row = 0; row < rows.length; row++) {
      for (int i = 0; i < width; i++) {
        sum[(int) rows[row] * width + i] += g[row * width + i] / divisor;
      }
    }
    return sum;
  }

  private static double[] deconvolution(
      ConvTranspose2d layer, HostTensor input, HostTensor grad, double divisor) {
    Window window = layer.window();
    double[] a = input.toArray();
    double[] g = grad.toArray();
    int[] in = {input.shape().get(2), input.shape().get(3)};
    int[] out = {grad.shape().get(2), grad.shape().get(3)};
    int kernel = window.kernelHeight() * window.kernelWidth();
    double[] sum = new double[layer.inChannels() * layer.outChannels() * kernel];
    for (int n = 0; n < input.shape().get(0); n++) {
      int at = 0;
      for (int c = 0; c < layer.inChannels(); c++) {
        for (int o = 0; o < layer.outChannels(); o++) {
          for (int k = 0; k < kernel; k++, at++) {
            for (int pixel = 0; pixel < in[0] * in[1]; pixel++) {
              int row =
                  pixel / in[1] * window.strideHeight()
                      + k / window.kernelWidth()
                      - window.paddingHeight();
              int column =
                  pixel % in[1] * window.strideWidth()
                      + k % window.kernelWidth()
                      - window.paddingWidth();
              if (row >= 0 && row < out[0] && column >= 0 && column < out[1]) {
                double value = a[(n * layer.inChannels() + c) * in[0] * in[1] + pixel];
                int target = ((n * layer.outChannels() + o) * out[0] + row) * out[1] + column;
                sum[at] += value * g[target] / divisor;
              }
            }
          }
        }
      }
    }
    return sum;
  }

  private static double[] convolution(
      Conv2d layer, HostTensor input, HostTensor grad, double divisor) {
    Window window = layer.window();
    double[] a = input.toArray();
    double[] g = grad.toArray();
    int height = input.shape().get(2);
    int width = input.shape().get(3);
    int rows = grad.shape().get(2);
    int columns = grad.shape().get(3);
    double[] sum =
        new double
            [layer.outChannels()
                * layer.inChannels()
                * window.kernelHeight()
                * window.kernelWidth()];
    for (int n = 0; n < input.shape().get(0); n++) {
      int at = 0;
      for (int o = 0; o < layer.outChannels(); o++) {
        for (int c = 0; c < layer.inChannels(); c++) {
          for (int y = 0; y < window.kernelHeight(); y++) {
            for (int x = 0; x < window.kernelWidth(); x++, at++) {
              for (int r = 0; r < rows; r++) {
                for (int s = 0; s < columns; s++) {
                  int row =
                      r * window.strideHeight()
                          + y * window.dilationHeight()
                          - window.paddingHeight();
                  int column =
                      s * window.strideWidth() + x * window.dilationWidth() - window.paddingWidth();
                  if (row >= 0 && row < height && column >= 0 && column < width) {
                    double pixel =
                        a[((n * layer.inChannels() + c) * height + row) * width + column];
                    sum[at] +=
                        g[((n * layer.outChannels() + o) * rows + r) * columns + s]
                            * pixel
                            / divisor;
                  }
                }
              }
            }
          }
        }
      }
    }
    return sum;
  }
}
