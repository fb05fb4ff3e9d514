package io.github.kfac4j.backend;

import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;

/**
 * The arithmetic of K-FAC, batched by design: every verb takes the requests of all layers at once,
 * so that a device can group them into few launches.
 *
 * <p>Arguments were validated by the caller: shapes fit, data is finite where a verb needs it. The
 * result of a verb is complete when the call returns. Same inputs give the same bits. A backend is
 * used by one thread at a time; how many threads it uses itself is up to it. All stacks passed to a
 * backend must be its own.
 *
 * <p>A verb that a backend does not have, or not for some request, throws {@link
 * UnsupportedOperationException} before it changes anything; K-FAC then does it in fp64 on the
 * host, on copies, and says so once in the log.
 */
public interface Backend extends AutoCloseable {
  /** The name by which a backend is chosen: {@code java}, {@code cpu} or {@code cuda}. */
  String name();

  /**
   * Runs calls of this thread as one: those of another are refused until it ends, not between two
   * of them. A backend that does not refuse other threads just runs it.
   *
   * @throws IllegalStateException if a call of another thread is under way; nothing has run then
   */
  default <T> T inTurn(Supplier<T> calls) {
    return calls.get();
  }

  /** Where stacks are kept, and how much room there is. */
  default Storage storage() {
    return Storage.UNKNOWN;
  }

  /** A new stack of zeros, owned by the caller. */
  MatrixStack allocate(int count, int rows, int cols);

  /**
   * A new stack of zeros for eigenvectors or eigenvalues, owned by the caller: like {@link
   * #allocate}, in more precision where the backend has a use for it. Verbs take either.
   */
  default MatrixStack allocateBasis(int count, int rows, int cols) {
    return allocate(count, rows, cols);
  }

  /** For each tensor the flat index of its first NaN or infinity, or -1 if all are finite. */
  long[] firstNonFinite(List<? extends Tensor> tensors);

  /**
   * For each tensor its largest absolute value, rounded to fp32 at most; NaN or infinity if an
   * element is not finite.
   */
  double[] largest(List<? extends Tensor> tensors);

  /**
   * Writes out patches: {@code target[k]} is {@code [rows, dim]} for group k, in the order that
   * {@link Samples} and {@link PatchSamples} state.
   */
  void patches(PatchSamples samples, MatrixStack target);

  /** Updates second moments. */
  void accumulate(List<AccumulateRequest> requests);

  /** Updates second moments of per-example gradients in a Kronecker basis. */
  void accumulateInBasis(List<BasisAccumulateRequest> requests);

  /** For each stack the traces of its matrices, summed in fp64. */
  List<double[]> traces(List<MatrixStack> stacks);

  /**
   * Damped inverses; for each request one status per matrix. {@link Status#OK} promises the bound
   * of {@link InverseAccuracy}.
   */
  List<Status[]> invert(List<InvertRequest> requests);

  /** Eigendecompositions; for each request one status per matrix. */
  List<Status[]> decompose(List<DecomposeRequest> requests);

  /**
   * Renews eigenvectors of matrices that have changed a little; for each request one result per
   * matrix. Whoever asks has {@link #decompose} for what is refused, and for all of it where this
   * verb is missing: nothing else takes its place.
   */
  default List<Renewal[]> renew(List<RenewRequest> requests) {
    throw new UnsupportedOperationException("no renewal of bases");
  }

  /**
   * Preconditions by inverses; returns for each request the inner product of U and dW, which is
   * finite only if all that was stored of U is.
   */
  double[] precondition(List<PreconditionRequest> requests);

  /** Preconditions in a Kronecker basis; returns for each request the inner product of U and dW. */
  double[] preconditionInBasis(List<BasisPreconditionRequest> requests);

  /** Multiplies tensors in place. */
  void scale(List<? extends Tensor> tensors, double factor);

  @Override
  void close();
}
