package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * K-FAC for the layers of one network: three verbs between a trainer's backward pass and its update
 * rule.
 *
 * <pre>{@code
 * Kfac kfac = new Kfac(Backends.best(), Map.of("fc", new Dense(784, 10, true)), KfacOptions.DEFAULT);
 * // each step, after the backward pass:
 * if (kfac.wantsObservations()) kfac.observe(observations);
 * if (kfac.wantsRefresh()) kfac.refresh();
 * kfac.precondition(gradients); // in place; now let SGD with momentum step
 * }</pre>
 *
 * <p>Every verb checks all of its arguments before it changes anything: after an {@link
 * IllegalArgumentException} the state and the gradients are as they were. An instance is used by
 * one thread at a time. It owns its state but not the backend.
 */
public final class Kfac implements AutoCloseable {
  private final Backend backend;
  private final InputCheck check;
  private final Curvature curvature;
  private final KfacState state;
  private KfacOptions options;
  private List<LayerReport> lastRefresh = List.of();

  /**
   * Makes K-FAC for the given layers.
   *
   * @param backend does the arithmetic; stays the caller's to close, after this
   * @param layers by name; reports follow the map's order
   * @param options settings
   * @throws IllegalArgumentException if there is no layer
   */
  public Kfac(Backend backend, Map<String, ? extends Layer> layers, KfacOptions options) {
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("K-FAC needs at least one layer");
    }
    this.backend = backend;
    this.options = options;
    this.curvature = curvature(backend, options);
    Map<String, LayerState> states = new LinkedHashMap<>();
    layers.forEach((name, layer) -> states.put(name, new LayerState(name, layer)));
    states.values().forEach(curvature::allocate);
    this.state = new KfacState(states);
    this.check = new InputCheck(backend, states);
  }

  private static Curvature curvature(Backend backend, KfacOptions options) {
    return options.dampingMode() == DampingMode.FACTORED
        ? new KroneckerInverses(backend, options.convention())
        : new KroneckerBases(backend, options.convention(), options.approximation());
  }

  /** The settings in force. */
  public KfacOptions options() {
    return options;
  }

  /**
   * Changes settings between steps, for example damping or learning rate on a schedule.
   *
   * @throws IllegalArgumentException if convention, approximation or damping mode differ, which a
   *     state cannot change
   */
  public void reconfigure(KfacOptions changed) {
    if (changed.convention() != options.convention()
        || changed.approximation() != options.approximation()
        || changed.dampingMode() != options.dampingMode()) {
      throw new IllegalArgumentException(
          "convention, approximation and damping mode are fixed for the life of a Kfac");
    }
    options = changed;
  }

  /** Factors, inverses and counters. */
  public KfacState state() {
    return state;
  }

  /** Whether the factor interval asks for observations before the next step. */
  public boolean wantsObservations() {
    return state.step() % options.factorInterval() == 0;
  }

  /** Whether the inverse interval asks for a refresh before the next step. */
  public boolean wantsRefresh() {
    return state.step() % options.inverseInterval() == 0;
  }

  /**
   * Takes a batch into the running averages A and G.
   *
   * @param observations of some or all layers, each at most once; the tensors are not kept
   * @throws IllegalArgumentException naming the layer and what is wrong: unknown or repeated layer,
   *     wrong shape, empty batch, NaN or infinity
   */
  public void observe(List<Observation> observations) {
    List<Curvature.Batch> batches = check.observations(observations);
    curvature.observe(batches, options);
  }

  /**
   * Renews the damped inverses of all layers from their factors.
   *
   * @return a report for each layer
   * @throws IllegalStateException if a layer has not been observed yet
   * @throws InversionFailedException if a factor cannot be inverted and the policy has no remedy
   */
  public List<LayerReport> refresh() {
    List<LayerState> states = List.copyOf(state.layers().values());
    for (LayerState layer : states) {
      if (layer.factorWeight == 0 && layer.momentWeight == 0) {
        throw new IllegalStateException(
            LayerState.prefix(layer.name) + "there is nothing to invert before observe()");
      }
    }
    lastRefresh = curvature.refresh(states, options);
    return lastRefresh;
  }

  /**
   * Replaces gradients by preconditioned ones, {@code G^-1 dW A^-1} for a Kronecker product, and
   * clips them all by one factor if a KL clip is set.
   *
   * @param gradients of some or all layers, each at most once
   * @throws IllegalArgumentException naming the layer and what is wrong: unknown or repeated layer,
   *     wrong shape, NaN or infinity, a layer without inverses yet
   */
  public StepReport precondition(List<LayerGradient> gradients) {
    List<Curvature.Request> requests = check.gradients(gradients);
    double innerProduct = curvature.precondition(requests, options);
    double clip = clip(innerProduct);
    if (clip < 1) {
      backend.scale(tensors(requests), clip);
    }
    state.countStep();
    StepReport report = new StepReport(state.step(), innerProduct, clip, lastRefresh);
    lastRefresh = List.of();
    return report;
  }

  private double clip(double innerProduct) {
    if (options.klClip().isEmpty()) {
      return 1;
    }
    double bound = options.klClip().getAsDouble();
    return options.convention().klClip(bound, options.learningRate(), innerProduct);
  }

  private static List<Tensor> tensors(List<Curvature.Request> requests) {
    List<Tensor> tensors = new ArrayList<>();
    for (Curvature.Request request : requests) {
      tensors.add(request.gradient().weight());
      if (request.gradient().bias() != null) {
        tensors.add(request.gradient().bias());
      }
    }
    return tensors;
  }

  /** Frees the state's matrices; idempotent. */
  @Override
  public void close() {
    state.layers().values().forEach(LayerState::close);
  }
}
