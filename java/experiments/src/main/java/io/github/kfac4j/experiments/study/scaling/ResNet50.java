package io.github.kfac4j.experiments.study.scaling;

import java.util.ArrayList;
import java.util.List;

/**
 * The 107 layers of ResNet-50 on images of 224 x 224 (He et al. 2016): 53 convolutions without
 * bias, a batch norm after each, and the classifier.
 */
final class ResNet50 {
  private static final int[] BLOCKS = {3, 4, 6, 3};

  private final List<LayerSize> layers = new ArrayList<>();

  private ResNet50() {}

  /** The layers in the order of the forward pass. */
  static List<LayerSize> layers() {
    ResNet50 net = new ResNet50();
    net.convolution("conv1", 3, 64, 7, 112);
    int channels = 64;
    for (int stage = 0; stage < BLOCKS.length; stage++) {
      int width = 64 << stage;
      int side = 56 >> stage;
      for (int block = 0; block < BLOCKS[stage]; block++) {
        String name = "layer%d.%d.".formatted(stage + 1, block);
        // the first block of a stage halves the image in its 3 x 3 convolution
        int sideBefore = block == 0 && stage > 0 ? 2 * side : side;
        net.convolution(name + "conv1", channels, width, 1, sideBefore);
        net.convolution(name + "conv2", width, width, 3, side);
        net.convolution(name + "conv3", width, 4 * width, 1, side);
        if (block == 0) {
          net.convolution(name + "downsample", channels, 4 * width, 1, side);
        }
        channels = 4 * width;
      }
    }
    net.layers.add(new LayerSize("fc", channels + 1, 1000, 1, (channels + 1) * 1000L));
    return net.layers;
  }

  private void convolution(String name, int in, int out, int kernel, int side) {
    int dim = in * kernel * kernel;
    layers.add(new LayerSize(name, dim, out, side * side, (long) dim * out));
    layers.add(new LayerSize(name + ".bn", 1, 2 * out, side * side, 2L * out));
  }
}
