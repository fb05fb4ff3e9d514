package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.MemoryErrors;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The curvature of each layer, by its kind and its approximation, and the verbs for all layers at
 * once.
 */
public final class Blocks {
  private final Backend backend;
  private final KfacOptions options;
  private final Map<Approximation, Curvature> curvatures = new EnumMap<>(Approximation.class);
  private final Curvature embeddings;

  public Blocks(Backend backend, KfacOptions options) {
    this.backend = backend;
    this.options = options;
    this.embeddings = new EmbeddingBlocks(backend, options.convention(), options.dampingMode());
  }

  /**
   * The curvature of a layer.
   *
   * @throws IllegalArgumentException if the layer does not support the approximation or the
   *     convention
   */
  public Curvature of(String name, Layer layer) {
    Approximation approximation = options.approximationOf(name);
    Curvature curvature =
        layer.diagonalInput()
            ? embeddings
            : curvatures.computeIfAbsent(approximation, this::curvature);
    String reason = curvature.refusal(layer, approximation);
    if (reason == null) {
      reason = options.convention().refusal(layer, approximation);
    }
    if (reason != null) {
      throw new IllegalArgumentException(LayerState.prefix(name) + reason);
    }
    return curvature;
  }

  /** The list of all: an approximation is a constant, a file and a line here. */
  private Curvature curvature(Approximation approximation) {
    Convention convention = options.convention();
    boolean factored = options.dampingMode() == DampingMode.FACTORED;
    return switch (approximation) {
      case KRONECKER ->
          factored
              ? new KroneckerInverses(backend, convention)
              : new KroneckerBases(backend, convention, approximation);
      case EKFAC, DIAGONAL -> new KroneckerBases(backend, convention, approximation);
      case DOUBLY_FACTORED -> new DoublyFactored(backend);
    };
  }

  public void observe(List<Curvature.Batch> batches, KfacOptions current) {
    split(batches, Curvature.Batch::state)
        .forEach(
            (c, part) ->
                MemoryErrors.naming(
                    part.stream().map(batch -> batch.state().name).toList(),
                    () -> {
                      c.observe(part, current);
                      return null;
                    }));
  }

  /** Reports in the order of the states. */
  public List<LayerReport> refresh(List<LayerState> states, KfacOptions current) {
    Map<String, LayerReport> reports = new HashMap<>();
    split(states, state -> state)
        .forEach(
            (c, part) -> {
              long start = System.nanoTime();
              List<LayerReport> done =
                  MemoryErrors.naming(
                      part.stream().map(one -> one.name).toList(), () -> c.refresh(part, current));
              double seconds = 1e-9 * (System.nanoTime() - start);
              done.forEach(r -> reports.put(r.layer(), r.withSeconds(seconds)));
            });
    return states.stream().map(state -> reports.get(state.name)).toList();
  }

  public List<Curvature.Result> precondition(
      List<Curvature.Request> requests, KfacOptions current) {
    List<Curvature.Result> results = new ArrayList<>();
    split(requests, Curvature.Request::state)
        .forEach(
            (c, part) ->
                results.addAll(
                    MemoryErrors.naming(
                        part.stream().map(request -> request.state().name).toList(),
                        () -> c.precondition(part, current))));
    return results;
  }

  private static <T> Map<Curvature, List<T>> split(List<T> all, Function<T, LayerState> state) {
    Map<Curvature, List<T>> parts = new LinkedHashMap<>();
    for (T one : all) {
      parts.computeIfAbsent(state.apply(one).curvature, c -> new ArrayList<>()).add(one);
    }
    return parts;
  }
}
