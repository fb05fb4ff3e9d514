package io.github.kfac4j;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.OuterProduct;
import io.github.kfac4j.backend.Samples;
import java.util.List;

/** What the Fisher blocks look like, for a batch of layers at a time. */
sealed interface Curvature permits KroneckerInverses, KroneckerBases {
  /** One layer's batch: vectors of its factors, and what turns g into per-example gradients. */
  record Batch(LayerState state, Samples a, Samples g, double gScale) {
    int examples() {
      return a.examples();
    }
  }

  /** One layer's gradient, to be replaced by the preconditioned one. */
  record Request(LayerState state, Gradient gradient, OuterProduct outerProduct) {}

  /** Allocates the matrices of a new layer. */
  void allocate(LayerState state);

  /** Takes batches into the running averages. */
  void observe(List<Batch> batches, KfacOptions options);

  /** Renews inverses or bases. */
  List<LayerReport> refresh(List<LayerState> states, KfacOptions options);

  /** Preconditions in place; returns the sum of the inner products of U and dW. */
  double precondition(List<Request> requests, KfacOptions options);
}
