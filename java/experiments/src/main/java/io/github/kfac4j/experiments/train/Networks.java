package io.github.kfac4j.experiments.train;

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
import java.util.List;

/**
 * The networks as DJL blocks; input [N, C, H, W], output logits [N, classes], of the autoencoder
 * [N, pixels].
 */
final class Networks {
  private Networks() {}

  static Block create(ModelName name, int classes, int pixels) {
    return switch (name) {
      case SIMPLE_CNN -> simpleCnn(classes);
      case MLP -> mlp(classes);
      case RESNET8 -> resnet8(classes);
      case AUTOENCODER -> autoencoder(pixels);
    };
  }

  private static Block simpleCnn(int classes) {
    return new SequentialBlock()
        .add(conv(5, 32, 1))
        .add(Activation::relu)
        .add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)))
        .add(conv(5, 64, 1))
        .add(Activation::relu)
        .add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)))
        .add(Blocks.batchFlattenBlock())
        .add(dense(1024))
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

  /** He et al. (2016), n = 1, parameter-free shortcuts (option A). */
  private static Block resnet8(int classes) {
    return new SequentialBlock()
        .add(conv(3, 16, 1))
        .add(Activation::relu)
        .add(residual(16, false))
        .add(residual(32, true))
        .add(residual(64, true))
        .add(Pool.globalAvgPool2dBlock())
        .add(dense(classes));
  }

  private static Block residual(int filters, boolean downsample) {
    Block convolutions =
        new SequentialBlock()
            .add(conv(3, filters, downsample ? 2 : 1))
            .add(Activation::relu)
            .add(conv(3, filters, 1));
    Block shortcut = downsample ? new LambdaBlock(Networks::halve) : Blocks.identityBlock();
    return new ParallelBlock(
        branches ->
            new NDList(
                Activation.relu(
                    branches.get(0).singletonOrThrow().add(branches.get(1).singletonOrThrow()))),
        List.of(convolutions, shortcut));
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
    return Conv2d.builder()
        .setKernelShape(new Shape(kernel, kernel))
        .optPadding(new Shape(kernel / 2, kernel / 2))
        .optStride(new Shape(stride, stride))
        .setFilters(filters)
        .build();
  }

  private static Block dense(int units) {
    return Linear.builder().setUnits(units).build();
  }
}
