package io.github.kfac4j.experiments.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.pooling.Pool;
import io.github.kfac4j.experiments.options.ModelName;
import java.util.List;

/**
 * The networks as DJL blocks; input [N, C, H, W], output logits [N, classes], of the autoencoder
 * [N, pixels]; language models from [N, length] to [N, length, vocabulary].
 */
final class Networks {
  /** Images that are normalised together (Zhang et al., 2019). */
  private static final int GHOST = 32;

  private Networks() {}

  static Block create(ModelName name, int classes, int pixels) {
    return switch (name) {
      case SIMPLE_CNN -> cnn(32, 64, 1024, classes);
      case NARROW_CNN -> cnn(8, 16, 128, classes);
      case MLP -> mlp(classes);
      case RESNET8 -> resnet(1, false, classes);
      case RESNET20 -> resnet(3, true, classes);
      case RESNET32 -> resnet(5, true, classes);
      case VGG11 -> vgg11(classes);
      case ALEXNET -> alexNet(classes);
      case AUTOENCODER -> autoencoder(pixels);
      case TRANSFORMER -> new Transformer(classes, 512, 2048, 8);
      case NARROW_TRANSFORMER -> new Transformer(classes, 64, 256, 4);
    };
  }

  private static Block cnn(int first, int second, int units, int classes) {
    return new SequentialBlock()
        .add(conv(5, first, 1))
        .add(Activation::relu)
        .add(halved())
        .add(conv(5, second, 1))
        .add(Activation::relu)
        .add(halved())
        .add(Blocks.batchFlattenBlock())
        .add(dense(units))
        .add(Activation::relu)
        .add(dense(classes));
  }

  private static Block mlp(int classes) {
    return new SequentialBlock()
        .add(Blocks.batchFlattenBlock())
        .add(dense(256))
        .add(Activation::relu)
        .add(dense(256))
        .add(Activation::relu)
        .add(dense(classes));
  }

  private static Block autoencoder(int pixels) {
    SequentialBlock block = new SequentialBlock().add(Blocks.batchFlattenBlock());
    for (int units : new int[] {1000, 500, 250}) {
      block.add(dense(units)).add(Activation::tanh);
    }
    block.add(dense(30)); // the code is linear
    for (int units : new int[] {250, 500, 1000}) {
      block.add(dense(units)).add(Activation::tanh);
    }
    return block.add(dense(pixels));
  }

  /**
   * He et al. (2016), 6n + 2 layers, parameter-free shortcuts (option A).
   *
   * @param depth n, the residual blocks of each width
   * @param normalised whether convolutions are normalised, and have no bias then
   */
  private static Block resnet(int depth, boolean normalised, int classes) {
    SequentialBlock network = new SequentialBlock();
    add(network, 16, 1, normalised);
    network.add(Activation::relu);
    for (int width : new int[] {16, 32, 64}) {
      for (int i = 0; i < depth; i++) {
        network.add(residual(width, width > 16 && i == 0, normalised));
      }
    }
    return network.add(Pool.globalAvgPool2dBlock()).add(dense(classes));
  }

  private static void add(SequentialBlock block, int filters, int stride, boolean normalised) {
    block.add(conv(3, filters, stride, !normalised));
    if (normalised) {
      block.add(new GhostBatchNorm(GHOST));
    }
  }

  private static Block residual(int filters, boolean downsample, boolean normalised) {
    SequentialBlock convolutions = new SequentialBlock();
    add(convolutions, filters, downsample ? 2 : 1, normalised);
    convolutions.add(Activation::relu);
    add(convolutions, filters, 1, normalised);
    Block shortcut = downsample ? new LambdaBlock(Networks::halve) : Blocks.identityBlock();
    return new ParallelBlock(
        branches ->
            new NDList(
                Activation.relu(
                    branches.get(0).singletonOrThrow().add(branches.get(1).singletonOrThrow()))),
        List.of(convolutions, shortcut));
  }

  /** Eight convolutions and one dense layer; five halvings leave one position. */
  private static Block vgg11(int classes) {
    SequentialBlock network = new SequentialBlock();
    int[][] stages = {{64}, {128}, {256, 256}, {512, 512}, {512, 512}};
    for (int[] stage : stages) {
      for (int filters : stage) {
        add(network, filters, 1, true);
        network.add(Activation::relu);
      }
      network.add(halvedUp());
    }
    return network.add(Blocks.batchFlattenBlock()).add(dense(classes));
  }

  /** Five convolutions and three dense layers. */
  private static Block alexNet(int classes) {
    return new SequentialBlock()
        .add(conv(5, 64, 1))
        .add(Activation::relu)
        .add(halvedUp())
        .add(conv(5, 192, 1))
        .add(Activation::relu)
        .add(halvedUp())
        .add(conv(3, 384, 1))
        .add(Activation::relu)
        .add(conv(3, 256, 1))
        .add(Activation::relu)
        .add(conv(3, 256, 1))
        .add(Activation::relu)
        .add(halvedUp())
        .add(Blocks.batchFlattenBlock())
        .add(dense(1024))
        .add(Activation::relu)
        .add(dense(1024))
        .add(Activation::relu)
        .add(dense(classes));
  }

  private static Block halved() {
    return Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2));
  }

  /** An odd row or column at the end counts as a whole one: images of 28 x 28 end as 32 x 32. */
  private static Block halvedUp() {
    return Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2), new Shape(0, 0), true);
  }

  /** Every second row and column, and as many channels of zeros behind the channels. */
  private static NDList halve(NDList in) {
    NDArray x =
        Pool.avgPool2d(
            in.singletonOrThrow(), new Shape(1, 1), new Shape(2, 2), new Shape(0, 0), false, false);
    return new NDList(x.concat(x.zerosLike(), 1));
  }

  /** Padded to keep the size, but for the stride. */
  private static Block conv(int kernel, int filters, int stride) {
    return conv(kernel, filters, stride, true);
  }

  private static Block conv(int kernel, int filters, int stride, boolean bias) {
    return Conv2d.builder()
        .setKernelShape(new Shape(kernel, kernel))
        .optPadding(new Shape(kernel / 2, kernel / 2))
        .optStride(new Shape(stride, stride))
        .setFilters(filters)
        .optBias(bias)
        .build();
  }

  private static Block dense(int units) {
    return Linear.builder().setUnits(units).build();
  }
}
