package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.MemoryException;
import io.github.kfac4j.data.LayerReport;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The step that is under way: what belongs to it alone, and what its matrices and counters were
 * before it. A matrix is copied when the step is about to change it for the first time, into a
 * stack that is allocated at the first need and kept for later steps.
 */
public final class OpenStep implements AutoCloseable {
  private final boolean keeps;
  private final Map<MatrixStack, MatrixStack> copies = new IdentityHashMap<>();
  private final Set<MatrixStack> copied = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<LayerState, double[]> counters = new IdentityHashMap<>();
  private final Map<LayerState, double[]> exponents = new IdentityHashMap<>();

  /** The shares of the micro-batches that have been observed. */
  public double observedShare;

  /** Reports of the step's refresh. */
  public List<LayerReport> refreshed = List.of();

  /**
   * No step yet.
   *
   * @param keeps whether it can be discarded; if not, no copies are made
   */
  public OpenStep(boolean keeps) {
    this.keeps = keeps;
  }

  /** Keeps what a layer's averages are before they are changed. */
  public void keepAverages(LayerState layer) {
    keep(layer, matrix -> matrix.spec().role().isAverage());
  }

  /** Keeps what was made of a layer's averages before it is changed. */
  public void keepResults(LayerState layer) {
    List<StateMatrix> statistics = layer.statistics();
    keep(layer, matrix -> !statistics.contains(matrix));
  }

  /** Keeps what some matrices of a layer, and its counters, are now, if it is not kept already. */
  private void keep(LayerState layer, Predicate<StateMatrix> which) {
    if (!keeps) {
      return;
    }
    for (StateMatrix matrix : layer.matrices()) {
      MatrixStack stack = matrix.stack();
      if (!which.test(matrix)) {
        continue;
      }
      if (!copied.contains(stack)) {
        try {
          copy(stack);
        } catch (OutOfMemoryError e) {
          throw new MemoryException(
              "%sthere is no memory for the copy of its %s of %d x %d x %d that discardStep() needs: %s"
                  .formatted(
                      LayerState.prefix(layer.name),
                      matrix.key(),
                      stack.count(),
                      stack.rows(),
                      stack.cols(),
                      e.getMessage()),
              e);
        }
        copied.add(stack);
      }
    }
    counters.computeIfAbsent(layer, one -> one.counters.toArray());
    exponents.computeIfAbsent(layer, LayerState::exponents);
  }

  private void copy(MatrixStack stack) {
    copies.computeIfAbsent(stack, MatrixStack::like).copyFrom(stack);
  }

  /** Makes the averages X that the step has changed {@code now X + kept X_before}. */
  public void mix(double now, double kept) {
    counters.forEach(
        (layer, before) -> {
          int i = 0;
          for (StateMatrix matrix : layer.matrices()) {
            MatrixStack stack = matrix.stack();
            int exponent = (int) exponents.get(layer)[i++];
            if (matrix.spec().role().isAverage() && copied.contains(stack)) {
              double[] elements = matrix.values();
              double[] copy = Fp32Range.scaled(copies.get(stack).toArray(), exponent);
              Arrays.setAll(elements, j -> now * elements[j] + kept * copy[j]);
              layer.setInRange(matrix, elements);
            }
          }
          layer.counters.mixWeights(now, kept, before);
        });
  }

  /** Returns to what was before the step. */
  public void discard() {
    copied.forEach(stack -> stack.copyFrom(copies.get(stack)));
    counters.forEach((layer, before) -> layer.counters.set(before));
    exponents.forEach(LayerState::restoreExponents);
    end();
  }

  /** What was before the step is no longer of interest. */
  public void end() {
    copied.clear();
    counters.clear();
    exponents.clear();
    observedShare = 0;
    refreshed = List.of();
  }

  @Override
  public void close() {
    copies.values().forEach(MatrixStack::close);
  }
}
