package io.github.kfac4j.djl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One training pass: which layers it used and what they saw. Owns the arrays that are captured. */
final class Pass implements AutoCloseable {
  private final ParameterStore store;
  private final Device device;
  private final long examples;
  private final boolean observes;
  private final NDManager manager;
  private final Set<Tap> used = new LinkedHashSet<>();
  private final Map<Tap, List<Capture>> captures = new LinkedHashMap<>();

  /**
   * Begins a pass.
   *
   * @param store holds the weights
   * @param input of the model; its first dimension is the batch
   * @param observes whether all layers are captured, because the factors want it
   */
  Pass(ParameterStore store, NDArray input, boolean observes) {
    this.store = store;
    this.device = input.getDevice();
    this.examples = input.getShape().get(0);
    this.observes = observes;
    // not the batch's manager: a loop may close its batch before it steps
    this.manager = store.getManager().newSubManager(device);
  }

  Device device() {
    return device;
  }

  long examples() {
    return examples;
  }

  boolean observes() {
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

  /** The one capture of a layer; null for a layer that was not captured, or several times. */
  Capture capture(Tap tap) {
    List<Capture> uses = captures.getOrDefault(tap, List.of());
    return uses.size() == 1 ? uses.get(0) : null;
  }

  /** All that was captured, once for each use of a layer. */
  List<Capture> captures() {
    return captures.values().stream().flatMap(List::stream).toList();
  }

  /** Forgets a capture, because its output gradient is not that of the loss. */
  void remove(Capture capture) {
    captures.get(capture.tap()).remove(capture);
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
