package io.github.kfac4j.experiments.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.List;

/**
 * Attention of several heads to a token and those before it, and two feed-forward layers; each
 * behind a normalisation and added to what came in. Projections have no bias.
 */
final class TransformerLayer extends AbstractBlock {
  private static final float NEVER = -1e9f;

  private final int width;
  private final int units;
  private final int heads;
  private Block attentionNorm = addChildBlock("attentionNorm", norm());
  private Block query;
  private Block key;
  private Block value;
  private Block output;
  private Block feedNorm = addChildBlock("feedNorm", norm());
  private Block wide;
  private Block narrow;

  TransformerLayer(int width, int units, int heads) {
    this.width = width;
    this.units = units;
    this.heads = heads;
    query = addChildBlock("query", linear(width, false));
    key = addChildBlock("key", linear(width, false));
    value = addChildBlock("value", linear(width, false));
    output = addChildBlock("output", linear(width, false));
    wide = addChildBlock("wide", linear(units, true));
    narrow = addChildBlock("narrow", linear(width, true));
  }

  static Block norm() {
    return LayerNorm.builder().axis(2).build();
  }

  private static Block linear(int units, boolean bias) {
    return Linear.builder().setUnits(units).optBias(bias).build();
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
    NDArray x = inputs.singletonOrThrow();
    x = x.add(attend(store, attentionNorm.forward(store, inputs, training), training));
    NDList fed = wide.forward(store, feedNorm.forward(store, new NDList(x), training), training);
    NDArray hidden = Activation.relu(fed.singletonOrThrow());
    return new NDList(
        x.add(narrow.forward(store, new NDList(hidden), training).singletonOrThrow()));
  }

  private NDArray attend(ParameterStore store, NDList x, boolean training) {
    NDArray q = split(query.forward(store, x, training).singletonOrThrow());
    NDArray k = split(key.forward(store, x, training).singletonOrThrow());
    NDArray v = split(value.forward(store, x, training).singletonOrThrow());
    Shape shape = x.singletonOrThrow().getShape();
    NDArray products = q.matMul(k.transpose(0, 1, 3, 2));
    NDArray scores =
        Scaled.times(products, Math.sqrt((double) heads / width))
            .add(mask(Math.toIntExact(shape.get(1)), q.getManager()));
    NDArray seen = scores.softmax(3).matMul(v).transpose(0, 2, 1, 3).reshape(shape);
    return output.forward(store, new NDList(seen), training).singletonOrThrow();
  }

  /** From [N, length, width] to [N, heads, length, width / heads]. */
  private NDArray split(NDArray x) {
    Shape shape = x.getShape();
    return x.reshape(shape.get(0), shape.get(1), heads, width / heads).transpose(0, 2, 1, 3);
  }

  /** Hides what follows a token. */
  private static NDArray mask(int length, NDManager manager) {
    float[] mask = new float[length * length];
    for (int t = 0; t < length; t++) {
      for (int s = t + 1; s < length; s++) {
        mask[t * length + s] = NEVER;
      }
    }
    return manager.create(mask, new Shape(length, length));
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return inputs;
  }

  @Override
  protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
    for (Block block : List.of(attentionNorm, query, key, value, output, feedNorm, wide)) {
      block.initialize(manager, type, inputs);
    }
    narrow.initialize(manager, type, inputs[0].slice(0, 2).add(units));
  }
}
