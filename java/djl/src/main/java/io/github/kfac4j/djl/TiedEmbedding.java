package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Embedding;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

/**
 * A table of vectors that is the matrix in front of a softmax too, weight {@code [vocabulary,
 * width]} (Press and Wolf, 2017). The type of the input tells the uses apart: whole numbers {@code
 * [N, ...]} are looked up and give {@code [N, ..., width]}; other numbers {@code [N, ..., width]}
 * are multiplied and give logits {@code [N, ..., vocabulary]}. A parent holds it as a {@code Block}
 * and calls it twice.
 *
 * <p>To K-FAC it is one layer, {@link io.github.kfac4j.layer.Embedding}, whose factors pool both
 * uses.
 */
public final class TiedEmbedding extends AbstractBlock {
  /** The name of the parameter. */
  static final String TABLE = "embedding";

  private final int vocabulary;
  private final int width;
  private final Parameter table;

  /** A table of so many vectors of such a width. */
  public TiedEmbedding(int vocabulary, int width) {
    this.vocabulary = vocabulary;
    this.width = width;
    table =
        addParameter(
            Parameter.builder()
                .setName(TABLE)
                .setType(Parameter.Type.WEIGHT)
                .optShape(new Shape(vocabulary, width))
                .build());
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
    NDArray x = inputs.singletonOrThrow();
    NDArray weight = store.getValue(table, x.getDevice(), training);
    return x.getDataType().isFloating()
        ? Linear.linear(x, weight)
        : Embedding.embedding(x, weight, SparseFormat.DENSE);
  }

  /** Of logits, if the last dimension is the width; else of vectors that are looked up. */
  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    Shape x = inputs[0];
    int last = x.dimension() - 1;
    return new Shape[] {
      last > 0 && x.get(last) == width ? x.slice(0, last).add(vocabulary) : x.add(width)
    };
  }

  /** As {@link #getOutputShapes(Shape[])}, the type telling the uses apart. */
  @Override
  public Shape[] getOutputShapes(Shape[] inputs, DataType[] types) {
    Shape x = inputs[0];
    return new Shape[] {
      types[0].isFloating() ? x.slice(0, x.dimension() - 1).add(vocabulary) : x.add(width)
    };
  }
}
