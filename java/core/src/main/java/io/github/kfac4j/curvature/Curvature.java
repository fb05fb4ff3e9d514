package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Use;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.Tensor;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * What the Fisher blocks look like, for a batch of layers at a time. Each is one file, which owns
 * all that is known of it: the layers and conventions that it is for, what it keeps of a layer and
 * under which names, its averages, inverses and report.
 */
public interface Curvature {
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
   * @param wide whether fp32 has no room for second moments of it
   */
  record Batch(LayerState state, List<Use> uses, double gScale, Part part, boolean wide) {
    public Batch with(List<Use> changed) {
      return new Batch(state, changed, gScale, part, wide);
    }

    public Batch with(boolean changed) {
      return new Batch(state, uses, gScale, part, changed);
    }

    /**
     * The same with its uses in the form that the curvature takes them.
     *
     * @throws IllegalArgumentException naming the layer, if there is none
     */
    public Batch prepared() {
      try {
        Batch joined = with(state.layer.join(uses));
        return joined.with(state.curvature.prepare(joined));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(LayerState.prefix(state.name) + e.getMessage(), e);
      }
    }

    /** The same with output gradients as the convention has them. */
    public Batch scaled(KfacOptions options) {
      double factor = options.convention().gradientScale(options.estimator(), examples());
      return new Batch(state, uses, gScale * factor, part, wide);
    }

    public int examples() {
      return uses.get(0).examples();
    }

    /** Positions of one example, over all uses. */
    public int positions() {
      return uses.stream().mapToInt(Use::positions).sum();
    }
  }

  /**
   * One layer's gradient.
   *
   * @param source where the gradient came from
   * @param gradient the same as matrices, to be replaced by the preconditioned ones
   * @param exponent dW is this gradient times 2 to the exponent, mostly 0
   */
  record Request(LayerState state, LayerGradient source, Gradient gradient, int exponent) {

    /** The tensors of the gradient. */
    public List<Tensor> tensors() {
      return gradient.bias() == null
          ? List.of(gradient.weight())
          : List.of(gradient.weight(), gradient.bias());
    }

    /** The caller's tensors, which are the same but where a layer has an order of its own. */
    public List<Tensor> stored() {
      return Stream.of(source.weight(), source.bias()).filter(Objects::nonNull).toList();
    }

    /** What came of it, where both parts have the same exponent. */
    public Result result(double inner, int shift) {
      return result(Math.scalb(inner, shift), shift, shift);
    }

    /**
     * What came of it.
     *
     * @param inner product of what the gradient held before with U
     * @param weight by which power of two U is larger than what the weight's tensor holds now, if
     *     the gradient was dW; likewise {@code bias}
     */
    public Result result(double inner, int weight, int bias) {
      return new Result(
          this, Math.scalb(inner, 2 * exponent), weight + exponent, bias + exponent, false);
    }

    public void store() {
      state.layer.store(gradient, source.weight(), source.bias());
    }
  }

  /**
   * A gradient that was preconditioned.
   *
   * @param inner product of U and dW
   * @param weight U is what the weight's tensor holds times 2 to this exponent, mostly 0
   * @param bias the same for the bias
   * @param unbounded whether the tensors may have no room for U though the inner product is finite
   */
  record Result(Request request, double inner, int weight, int bias, boolean unbounded) {
    /** The same, and U may be of any size. */
    public Result withoutBound() {
      return new Result(request, inner, weight, bias, true);
    }

    /** Whether U may have lost its range after the inner product was taken. */
    public boolean mayOverflow() {
      boolean copied = request.gradient.weight() != request.source.weight();
      return unbounded || weight > 0 || bias > 0 || copied;
    }
  }

  /** The damping of a layer's block. */
  static double lambda(Layer layer, KfacOptions options) {
    return options.damping() * layer.dampingScale();
  }

  /** Why a layer cannot have this; null if it can. */
  default String refusal(Layer layer, Approximation approximation) {
    return null;
  }

  /**
   * Why the statistics of a shard cannot be added to those of other shards; null if they can.
   *
   * @param seen in the shard
   */
  default String inseparable(Observation seen, KfacOptions options) {
    return null;
  }

  /** The matrices that a layer keeps, in a fixed order. */
  List<MatrixSpec> specs(Layer layer);

  /** Fills the matrices of a new layer, which are zeros, with what they start from. */
  default void initialize(LayerState state) {}

  /**
   * Checks saved counters, each of which can be for itself, against the layer.
   *
   * @throws IllegalArgumentException naming the layer and what does not fit
   */
  default void requireCounters(LayerState state, double[] saved) {
    LayerCounters.requireReflections(state.name, saved, 0, 0);
  }

  /**
   * The size of what is added to the elements of a matrix when it is used, with which they must
   * share a range.
   */
  default double largestAddend(LayerState state, StateKey key) {
    return 0;
  }

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

  /** Takes batches into the running averages. */
  void observe(List<Batch> batches, KfacOptions options);

  /** Renews inverses or bases. */
  List<LayerReport> refresh(List<LayerState> states, KfacOptions options);

  /** Preconditions in place; returns a result for each request. */
  List<Result> precondition(List<Request> requests, KfacOptions options);
}
