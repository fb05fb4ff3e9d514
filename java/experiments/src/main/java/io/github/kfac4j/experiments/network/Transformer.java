package io.github.kfac4j.experiments.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.github.kfac4j.djl.TiedEmbedding;
import java.util.List;

/**
 * A language model of two Transformer layers (Vaswani et al., 2017): of every token it predicts the
 * next one from those before. The embedding is the weight of the softmax too (Zhang et al., 2019).
 * Normalisation is in front of attention and feed-forward, and once before the softmax; positions
 * are sinusoids; there is no dropout.
 */
final class Transformer extends AbstractBlock {
  private static final double LONGEST_WAVE = 10_000;

  private final int width;
  private Block embedding;
  private Block first;
  private Block second;
  private Block norm;

  /**
   * A model.
   *
   * @param width of embedded tokens
   * @param units between the two feed-forward layers
   * @param heads of attention, which divide the width
   */
  Transformer(int vocabulary, int width, int units, int heads) {
    this.width = width;
    embedding = addChildBlock("embedding", new TiedEmbedding(vocabulary, width));
    first = addChildBlock("first", new TransformerLayer(width, units, heads));
    second = addChildBlock("second", new TransformerLayer(width, units, heads));
    norm = addChildBlock("norm", TransformerLayer.norm());
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
    NDArray tokens = inputs.singletonOrThrow().toType(DataType.INT64, false);
    NDArray table = embedding.forward(store, new NDList(tokens), training).singletonOrThrow();
    NDArray positions = positions(Math.toIntExact(tokens.getShape().get(1)), tokens.getManager());
    NDList x = new NDList(Scaled.times(table, Math.sqrt(width)).add(positions));
    for (Block block : List.of(first, second, norm)) {
      x = block.forward(store, x, training);
    }
    return embedding.forward(store, x, training);
  }

  /** Sines in the first half of the features, cosines in the second. */
  private NDArray positions(int length, NDManager manager) {
    float[] waves = new float[length * width];
    int half = width / 2;
    for (int t = 0; t < length; t++) {
      for (int i = 0; i < half; i++) {
        double angle = t * Math.pow(LONGEST_WAVE, -(double) i / half);
        waves[t * width + i] = (float) Math.sin(angle);
        waves[t * width + half + i] = (float) Math.cos(angle);
      }
    }
    return manager.create(waves, new Shape(length, width));
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return embedding.getOutputShapes(new Shape[] {inputs[0].add(width)});
  }

  @Override
  protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
    embedding.initialize(manager, type, inputs);
    for (Block block : List.of(first, second, norm)) {
      block.initialize(manager, type, inputs[0].add(width));
    }
  }
}
