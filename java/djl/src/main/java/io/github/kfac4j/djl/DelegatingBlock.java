package io.github.kfac4j.djl;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.function.Predicate;

/** Leaves everything to another block, names and files included, except for its forward pass. */
abstract class DelegatingBlock implements Block {
  final Block original;

  DelegatingBlock(Block original) {
    this.original = original;
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
