package io.github.kfac4j.djl;

import ai.djl.modality.nlp.embedding.TrainableWordEmbedding;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Conv1d;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.nn.recurrent.RecurrentBlock;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.layer.ScaleShift.Structure;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import java.util.Optional;

/** DJL's blocks as layers. */
final class Layers {
  /** For messages. */
  static final String KNOWN =
      "known are Linear, Conv1d, Conv2d, TrainableWordEmbedding, TiedEmbedding, BatchNorm and"
          + " LayerNorm";

  private Layers() {}

  /** Whether K-FAC knows the block; a subclass may compute anything and is not known. */
  static boolean isSupported(Block block) {
    Class<?> type = block.getClass();
    return type == Linear.class
        || type == Conv2d.class
        || type == Conv1d.class
        || embeds(block)
        || normalises(block);
  }

  /** What takes the block's place: of its own class where DJL lets that be extended. */
  static Tapped tapped(Block block) {
    if (block instanceof Linear linear) {
      return new TappedLinear(linear);
    }
    if (block instanceof Conv2d conv) {
      return new TappedConv2d(conv);
    }
    if (block instanceof BatchNorm norm) {
      return new TappedBatchNorm(norm);
    }
    if (block instanceof LayerNorm norm) {
      return new TappedLayerNorm(norm);
    }
    return block instanceof TrainableWordEmbedding table
        ? new TappedWordEmbedding(table)
        : new TappedBlock(block);
  }

  /** Why K-FAC does not have a block that it might be expected to have. */
  static Optional<String> reasonAgainst(Block block) {
    if (block instanceof RecurrentBlock) {
      return Optional.of(
          "the engine runs all time steps in one call, so that the gradients at its gates cannot"
              + " be seen");
    }
    return isSupported(block)
        ? Optional.of(
            "its parent holds it as a %s, which DJL does not let K-FAC extend; declare it as Block"
                .formatted(block.getClass().getSimpleName()))
        : Optional.empty();
  }

  /** Whether it is a normalisation, whose scale and shift are the layer. */
  static boolean normalises(Block block) {
    Class<?> type = block.getClass();
    return type == BatchNorm.class || type == LayerNorm.class;
  }

  /** The parameter that is the weight. */
  static String weightName(Block block) {
    if (normalises(block)) {
      return "gamma";
    }
    return embeds(block) ? TiedEmbedding.TABLE : "weight";
  }

  /** The parameter that is the bias. */
  static String biasName(Block block) {
    return normalises(block) ? "beta" : "bias";
  }

  /** Whether it is a table of vectors. */
  private static boolean embeds(Block block) {
    Class<?> type = block.getClass();
    return type == TrainableWordEmbedding.class || type == TiedEmbedding.class;
  }

  /** Whether an input holds row numbers instead of values. */
  static boolean takesNumbers(Block block, DataType input) {
    return block instanceof TrainableWordEmbedding
        || block instanceof TiedEmbedding && !input.isFloating();
  }

  /**
   * The layer of an initialized block, of whose arrays it sees those that {@link Channels}
   * arranges.
   *
   * @throws IllegalArgumentException saying why, if its parameters cannot be mapped exactly
   */
  static Layer describe(Block block, Shape weight, boolean bias) {
    int out = extent(weight, 0);
    if (normalises(block)) {
      int size = Math.toIntExact(weight.size());
      return new ScaleShift(size, Structure.UNIT_WISE, bias, block instanceof LayerNorm, 1);
    }
    if (embeds(block)) {
      return new Embedding(out, extent(weight, 1));
    }
    if (block instanceof Conv1d conv) {
      Window window =
          io.github.kfac4j.layer.Conv1d.window(
              extent(conv.getKernelShape(), 0),
              extent(conv.getStride(), 0),
              extent(conv.getPadding(), 0),
              extent(conv.getDilation(), 0));
      int in = extent(weight, 1) * conv.getGroups();
      return new io.github.kfac4j.layer.Conv1d(in, out, window, conv.getGroups(), bias);
    }
    if (!(block instanceof Conv2d conv)) {
      return new Dense(extent(weight, 1), out, bias);
    }
    Window window =
        new Window(
            extent(conv.getKernelShape(), 0),
            extent(conv.getKernelShape(), 1),
            extent(conv.getStride(), 0),
            extent(conv.getStride(), 1),
            extent(conv.getPadding(), 0),
            extent(conv.getPadding(), 1),
            extent(conv.getDilation(), 0),
            extent(conv.getDilation(), 1));
    int groups = conv.getGroups();
    return new io.github.kfac4j.layer.Conv2d(
        extent(weight, 1) * groups, out, window, groups, bias, ImageLayout.NCHW);
  }

  private static int extent(Shape shape, int dimension) {
    return Math.toIntExact(shape.get(dimension));
  }
}
