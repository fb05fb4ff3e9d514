package io.github.kfac4j.trainer;

import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.WeightSharing;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.Shape;

/**
 * Which tensors in the memory of a GPU K-FAC takes where they are. The others, of layers whose data
 * is rearranged before a backend sees it, and of rows that must be cut or sorted by example, it
 * reads in host memory.
 */
public final class OnDevice {
  private OnDevice() {}

  /** Whether it takes the input of a layer. */
  public static boolean input(
      String name, Layer layer, Shape shape, int examples, KfacOptions options) {
    return isPlain(layer) && rowsAreInPlace(name, shape, examples, options);
  }

  /** Whether it takes the gradient at the output of a layer. */
  public static boolean outputGrad(
      String name, Layer layer, Shape shape, int examples, KfacOptions options) {
    return (isPlain(layer) || isOfTable(layer, shape))
        && rowsAreInPlace(name, shape, examples, options);
  }

  /** Whether it takes and rewrites the gradients of a layer's parameters. */
  public static boolean gradient(String name, Layer layer, KfacOptions options) {
    return (isPlain(layer) || layer instanceof Embedding)
        && options.approximationOf(name) != Approximation.DOUBLY_FACTORED;
  }

  private static boolean isPlain(Layer layer) {
    return layer instanceof Dense dense && dense.sharing() == WeightSharing.EXPAND
        || layer instanceof Conv1d
        || layer instanceof Conv2d;
  }

  /** Of embedded vectors, and not of the logits of a table that is tied to a softmax. */
  private static boolean isOfTable(Layer layer, Shape outputGrad) {
    return layer instanceof Embedding table
        && table.width() != table.vocabulary()
        && outputGrad.get(outputGrad.rank() - 1) == table.width();
  }

  private static boolean rowsAreInPlace(
      String name, Shape shape, int examples, KfacOptions options) {
    return switch (options.approximationOf(name)) {
      case KRONECKER -> examples <= options.maxExamples();
      case EKFAC, DIAGONAL -> shape.get(0) == examples && examples <= options.maxExamples();
      case DOUBLY_FACTORED -> false;
    };
  }
}
