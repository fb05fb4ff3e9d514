package io.github.kfac4j;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.OuterProduct;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Use;
import java.util.List;

/** What the Fisher blocks look like, for a batch of layers at a time. */
sealed interface Curvature
    permits KroneckerInverses, KroneckerBases, EmbeddingBlocks, DoublyFactored {
  /** Factors that can be updated apart. */
  enum Part {
    A,
    G,
    BOTH
  }

  /**
   * What one layer saw in a pass.
   *
   * @param uses of the layer, at least one, all of the same examples
   * @param gScale what turns output gradients into per-example gradients of the summed loss
   * @param part which of the factors it is for
   */
  record Batch(LayerState state, List<Use> uses, double gScale, Part part) {
    Batch with(List<Use> changed) {
      return new Batch(state, changed, gScale, part);
    }

    /** The same with output gradients as the convention has them. */
    Batch scaled(KfacOptions options) {
      double factor = options.convention().gradientScale(options.estimator(), examples());
      return new Batch(state, uses, gScale * factor, part);
    }

    int examples() {
      return uses.get(0).examples();
    }

    /** Positions of one example, over all uses. */
    int positions() {
      return uses.stream().mapToInt(Use::positions).sum();
    }
  }

  /**
   * One layer's gradient.
   *
   * @param source where the gradient came from
   * @param gradient the same as matrices, to be replaced by the preconditioned ones
   */
  record Request(
      LayerState state, LayerGradient source, Gradient gradient, OuterProduct outerProduct) {
    void store() {
      state.layer.store(gradient, source.weight(), source.bias());
    }
  }

  /** The damping of a layer's block. */
  static double lambda(Layer layer, KfacOptions options) {
    return options.damping() * layer.dampingScale();
  }

  /** The matrices that a layer keeps, in a fixed order. */
  List<Room> rooms(Layer layer);

  /** Fills the matrices of a new layer, which are zeros, with what they start from. */
  default void initialize(LayerState state) {}

  /** Whether a layer that is too large for this could have a {@link Approximation#DIAGONAL}. */
  boolean hasSmaller();

  /** Whether inputs and output gradients can be observed apart, by the parts A and G. */
  boolean inputsApart();

  /** Whether {@link #observe} needs the rows of one example together, examples first. */
  default boolean groupsByExample() {
    return false;
  }

  /**
   * The uses of a pass in the form that {@link #observe} takes.
   *
   * @throws IllegalArgumentException if there is none
   */
  default List<Use> prepare(Batch batch) {
    return batch.uses();
  }

  /** The matrices that {@link #observe} changes. */
  default List<String> averages(LayerState state) {
    return Staleness.statistics(state);
  }

  /** Takes batches into the running averages. */
  void observe(List<Batch> batches, KfacOptions options);

  /** Renews inverses or bases. */
  List<LayerReport> refresh(List<LayerState> states, KfacOptions options);

  /** Preconditions in place; returns the sum of the inner products of U and dW. */
  double precondition(List<Request> requests, KfacOptions options);
}
