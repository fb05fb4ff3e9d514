package io.github.kfac4j.djl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.TrainingPass;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** One training pass: which layers it used and what they saw. Owns the arrays that are captured. */
final class Pass implements TrainingPass {
  private final Placement placement;
  private final KfacOptions options;
  private final ParameterStore store;
  private final Device device;
  private final int examples;
  private final boolean observes;
  private final NDManager manager;
  private final Set<Tap> used = new LinkedHashSet<>();
  private final Map<Tap, List<Capture>> captures = new LinkedHashMap<>();

  /**
   * Begins a pass.
   *
   * @param placement where K-FAC takes arrays
   * @param options of K-FAC
   * @param store holds the weights
   * @param input of the model; its first dimension is the batch
   * @param observes whether the layers are captured, because the factors want it
   */
  Pass(
      Placement placement,
      KfacOptions options,
      ParameterStore store,
      NDArray input,
      boolean observes) {
    this.placement = placement;
    this.options = options;
    this.store = store;
    this.device = input.getDevice();
    this.examples = Math.toIntExact(input.getShape().get(0));
    this.observes = observes;
    // not the batch's manager: a loop may close its batch before it steps
    this.manager = store.getManager().newSubManager(device);
  }

  @Override
  public int examples() {
    return examples;
  }

  @Override
  public List<Observation> inputs() {
    return ordered(captures().stream().map(capture -> capture.inputObservation(this)).toList());
  }

  @Override
  public List<Observation> observations(double outputGradScale) {
    return ordered(
        captures().stream()
            .map(capture -> capture.observation(this, outputGradScale))
            .filter(Objects::nonNull)
            .toList());
  }

  /** The same, K-FAC's work on a device coming after what the engine has enqueued. */
  <T> T ordered(T views) {
    placement.await().accept(device);
    return views;
  }

  Placement placement() {
    return placement;
  }

  KfacOptions options() {
    return options;
  }

  @Override
  public boolean expectsGradients() {
    return !captures.isEmpty();
  }

  @Override
  public boolean hasGradients() {
    return captures().stream().anyMatch(capture -> capture.hasGradient(this));
  }

  @Override
  public boolean captured() {
    return observes;
  }

  NDManager manager() {
    return manager;
  }

  ParameterStore store() {
    return store;
  }

  Set<Tap> used() {
    return used;
  }

  /** All that was captured, once for each use of a layer. */
  List<Capture> captures() {
    return captures.values().stream().flatMap(List::stream).toList();
  }

  void use(Tap tap) {
    used.add(tap);
  }

  void put(Capture capture) {
    captures.computeIfAbsent(capture.tap(), tap -> new ArrayList<>()).add(capture);
  }

  /** The array that is trained on this pass's device. */
  NDArray value(Parameter parameter) {
    return store.getValue(parameter, device, true);
  }

  /** A parameter's gradient, owned by the pass; null before the first backward pass. */
  NDArray gradient(Parameter parameter) {
    return gradient(value(parameter));
  }

  /** A leaf's gradient, owned by the pass; null if no backward pass reached the leaf. */
  NDArray gradient(NDArray leaf) {
    NDArray gradient = JniUtils.getGradient((PtNDArray) leaf);
    if (gradient != null) {
      gradient.attach(manager);
    }
    return gradient;
  }

  /** Frees what was captured; idempotent. */
  @Override
  public void close() {
    manager.close();
  }
}
