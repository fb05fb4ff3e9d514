package io.github.kfac4j.djl;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** A model with taps in place of its layers. */
final class ModelTaps implements AutoCloseable {
  private final Model model;
  private final BlockTree tree;
  private final Block original;
  private final TappedRoot root;

  /**
   * Puts the taps in.
   *
   * @param listener is told of the model's training passes
   * @throws IllegalArgumentException if the model is not of the PyTorch engine, has taps already or
   *     holds no layer that K-FAC knows
   * @throws IllegalStateException if a block that holds layers is closed to reflection
   */
  ModelTaps(Model model, TappedRoot.Listener listener) {
    this.model = model;
    this.tree = tree(model);
    this.original = model.getBlock();
    this.root = new TappedRoot(tree.insertTaps(), listener);
    model.setBlock(root);
    // a block that is set counts as not loaded, and only loaded ones are made trainable
    for (Parameter parameter : original.getParameters().values()) {
      if (parameter.isInitialized() && parameter.requiresGradient()) {
        parameter.getArray().setRequiresGradient(true);
      }
    }
  }

  private static BlockTree tree(Model model) {
    String engine = model.getNDManager().getEngine().getEngineName();
    if (!engine.equals("PyTorch")) {
      throw new IllegalArgumentException(
          "K-FAC works on DJL's PyTorch engine, but the model is of the engine " + engine);
    }
    Block block = model.getBlock();
    if (block instanceof TappedRoot) {
      throw new IllegalArgumentException("K-FAC is attached to this model already");
    }
    BlockTree tree = block == null ? null : new BlockTree(block);
    if (tree == null || tree.taps().isEmpty()) {
      throw new IllegalArgumentException("the model has no layer for K-FAC: " + Layers.KNOWN);
    }
    return tree;
  }

  boolean isInitialized() {
    return root.isInitialized();
  }

  /** Initializes the model for inputs of these shapes, if it has not been. */
  void initialize(ParameterStore store, NDList inputs) {
    if (!root.isInitialized()) {
      root.initialize(store.getManager(), DataType.FLOAT32, inputs.getShapes());
    }
  }

  List<Tap> taps() {
    return tree.taps();
  }

  /** All layers that could be K-FAC's. */
  List<String> names() {
    return tree.taps().stream().map(Tap::name).toList();
  }

  /** Other blocks with trainable parameters than the layers of K-FAC. */
  List<String> others(Predicate<Tap> has) {
    return tree.others(has);
  }

  /** Why blocks that K-FAC might be expected to have are left out, by name. */
  Map<String, String> reasons() {
    return tree.reasons();
  }

  /** All parameters of the model by name, each once: DJL lists a shared block's once per use. */
  Map<String, Parameter> parameters() {
    Set<Parameter> listed = Collections.newSetFromMap(new IdentityHashMap<>());
    Map<String, Parameter> parameters = new LinkedHashMap<>();
    for (Pair<String, Parameter> entry : original.getParameters()) {
      if (listed.add(entry.getValue())) {
        parameters.put(entry.getKey(), entry.getValue());
      }
    }
    return parameters;
  }

  /** The model's outputs without training. */
  NDList evaluate(ParameterStore store, NDList inputs) {
    return root.forward(store, inputs, false, null);
  }

  /** Puts the layers back; idempotent. */
  @Override
  public void close() {
    tree.removeTaps();
    if (model.getBlock() == root) {
      model.setBlock(original);
    }
  }
}
