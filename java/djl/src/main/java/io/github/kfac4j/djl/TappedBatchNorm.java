package io.github.kfac4j.djl;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.ParameterList;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.GhostBatchNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/**
 * Takes the place of a {@link BatchNorm} in a model and leaves everything to it, names and files
 * included; only the output passes through a {@link Tap}. A ghost normalisation is the one kind
 * that DJL lets be extended; nothing of it is used.
 */
final class TappedBatchNorm extends GhostBatchNorm implements Tapped {
  private final BatchNorm original;
  private Tap tap;

  TappedBatchNorm(BatchNorm original) {
    super(GhostBatchNorm.builder());
    this.original = original;
  }

  @Override
  public BatchNorm original() {
    return original;
  }

  @Override
  public void listen(Tap value) {
    tap = value;
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore parameterStore,
      NDList inputs,
      boolean training,
      PairList<String, Object> params) {
    NDList outputs = original.forward(parameterStore, inputs, training, params);
    return training && tap != null ? tap.through(inputs, outputs) : outputs;
  }

  @Override
  public ParameterList getDirectParameters() {
    return original.getDirectParameters();
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
  public Shape[] getOutputShapes(Shape[] inputShapes) {
    return original.getOutputShapes(inputShapes);
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
  public PairList<String, Shape> describeInput() {
    return original.describeInput();
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
  public String toString() {
    return original.toString();
  }
}
