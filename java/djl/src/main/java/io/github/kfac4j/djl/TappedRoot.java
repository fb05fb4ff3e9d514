package io.github.kfac4j.djl;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Takes the place of a model's block and leaves everything to it; only tells where training passes
 * begin and end. Passes outside of a gradient collector lead to no gradient and are none.
 */
final class TappedRoot implements Block {
  /** Hears of training passes. */
  interface Passes {
    /** Runs a pass and returns its output. */
    NDList run(ParameterStore parameterStore, NDList inputs, Supplier<NDList> forward);
  }

  private final Block original;
  private final Passes passes;

  TappedRoot(Block original, Passes passes) {
    this.original = original;
    this.passes = passes;
  }

  @Override
  public NDList forward(
      ParameterStore parameterStore,
      NDList inputs,
      boolean training,
      PairList<String, Object> params) {
    Supplier<NDList> forward = () -> original.forward(parameterStore, inputs, training, params);
    return training && JniUtils.isGradMode()
        ? passes.run(parameterStore, inputs, forward)
        : forward.get();
  }

  @Override
  public NDList forward(
      ParameterStore parameterStore, NDList data, NDList labels, PairList<String, Object> params) {
    Supplier<NDList> forward = () -> original.forward(parameterStore, data, labels, params);
    return JniUtils.isGradMode() ? passes.run(parameterStore, data, forward) : forward.get();
  }

  @Override
  public void setInitializer(Initializer initializer, Parameter.Type type) {
    original.setInitializer(initializer, type);
  }

  @Override
  public void setInitializer(Initializer initializer, String paramName) {
    original.setInitializer(initializer, paramName);
  }

  @Override
  public void setInitializer(Initializer initializer, Predicate<Parameter> predicate) {
    original.setInitializer(initializer, predicate);
  }

  @Override
  public void initialize(NDManager manager, DataType dataType, Shape... inputShapes) {
    original.initialize(manager, dataType, inputShapes);
  }

  @Override
  public boolean isInitialized() {
    return original.isInitialized();
  }

  @Override
  public void cast(DataType dataType) {
    original.cast(dataType);
  }

  @Override
  public void clear() {
    original.clear();
  }

  @Override
  public PairList<String, Shape> describeInput() {
    return original.describeInput();
  }

  @Override
  public BlockList getChildren() {
    return original.getChildren();
  }

  @Override
  public ParameterList getDirectParameters() {
    return original.getDirectParameters();
  }

  @Override
  public ParameterList getParameters() {
    return original.getParameters();
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputShapes) {
    return original.getOutputShapes(inputShapes);
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputShapes, DataType[] inputDataTypes) {
    return original.getOutputShapes(inputShapes, inputDataTypes);
  }

  @Override
  public Shape[] getInputShapes() {
    return original.getInputShapes();
  }

  @Override
  public DataType[] getOutputDataTypes() {
    return original.getOutputDataTypes();
  }

  @Override
  public void saveParameters(DataOutputStream os) throws IOException {
    original.saveParameters(os);
  }

  @Override
  public void loadParameters(NDManager manager, DataInputStream is)
      throws IOException, MalformedModelException {
    original.loadParameters(manager, is);
  }

  @Override
  public void freezeParameters(boolean freeze) {
    original.freezeParameters(freeze);
  }

  @Override
  public void freezeParameters(boolean freeze, Predicate<Parameter> pred) {
    original.freezeParameters(freeze, pred);
  }

  @Override
  public Map<String, String> getCustomMetadata() {
    return original.getCustomMetadata();
  }

  @Override
  public String toString() {
    return original.toString();
  }
}
