package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.backend.Storage;
import io.github.kfac4j.cuda.accumulation.Accumulation;
import io.github.kfac4j.cuda.accumulation.BasisAccumulation;
import io.github.kfac4j.cuda.accumulation.Patches;
import io.github.kfac4j.cuda.calls.CudaMatrixStack;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.context.Check;
import io.github.kfac4j.cuda.context.CudaContext;
import io.github.kfac4j.cuda.eigen.Eigenvectors;
import io.github.kfac4j.cuda.elementwise.Elementwise;
import io.github.kfac4j.cuda.inversion.Inverses;
import io.github.kfac4j.cuda.matrix.Traces;
import io.github.kfac4j.cuda.preconditioning.BasisPreconditioning;
import io.github.kfac4j.cuda.preconditioning.KroneckerPreconditioning;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.cuda.cudart.CUstream_st;

/**
 * The CUDA backend: fp32 on one GPU, all work on one stream. Tensors may be {@link DeviceTensor
 * device memory}, used where it is, or host memory, which is copied.
 *
 * <p>On a stream of its own a verb returns when its work is done. On a trainer's stream, see {@link
 * #onStream}, it only enqueues what has nothing to tell, and the host waits where a verb returns
 * numbers or writes to host memory. {@link #enqueueInvert} and {@link #enqueuePrecondition} never
 * wait; what they have to tell is read when asked for. With {@link #accumulate}, {@link #patches}
 * and {@link #scale} on device memory they may be captured into a CUDA graph, after one call of
 * each outside of it that was closed: memory is allocated, and kernels are loaded, at the first.
 *
 * <p>Beside the exceptions of {@link Backend} every verb may throw {@link CudaException} where CUDA
 * fails, {@link CudaOutOfMemoryException} where memory is short (nothing was changed then), {@link
 * IllegalArgumentException} for a {@link DeviceTensor} that does not lie on the backend's device or
 * for a matrix stack of another backend, and {@link IllegalStateException} after {@link #close}.
 * After a fatal error, see {@link CudaException#fatal}, all calls are refused with that error.
 */
public final class CudaBackend implements Backend {
  private final CudaContext context;
  private boolean cusolverInverses;

  /**
   * Opens a device with a stream of its own. The stream waits for the device's default stream, so
   * data that a trainer produces there is complete.
   *
   * @param device as CUDA counts them, from 0
   * @throws BackendUnavailableException if CUDA cannot be used here
   * @throws CudaException if there is no such device
   */
  public CudaBackend(int device) {
    this(device, null);
  }

  private CudaBackend(int device, CUstream_st stream) {
    String failure = CudaLibrary.failure();
    if (failure != null) {
      throw new BackendUnavailableException("cuda", failure);
    }
    this.context = new CudaContext(device, stream);
  }

  /**
   * Opens a device on a trainer's stream: data written by earlier work on that stream is complete.
   *
   * @param stream stays the caller's, to be destroyed after the backend is closed; a destroyed
   *     stream is an error that CUDA does not detect
   * @throws IllegalArgumentException if the stream belongs to another device
   * @throws BackendUnavailableException if CUDA cannot be used here
   * @throws CudaException if there is no such device
   */
  public static CudaBackend onStream(int device, CUstream_st stream) {
    if (stream == null || stream.isNull()) {
      throw new IllegalArgumentException(
          "the stream is null; new CudaBackend(device) waits for the default stream");
    }
    return new CudaBackend(device, stream);
  }

  /**
   * The same for a stream whose address a trainer tells.
   *
   * @param stream a {@code cudaStream_t}; 0 is the default stream, for which a stream of our own
   *     waits
   * @throws IllegalArgumentException if the stream belongs to another device
   * @throws BackendUnavailableException if CUDA cannot be used here
   * @throws CudaException if there is no such device
   */
  public static CudaBackend onStream(int device, long stream) {
    return new CudaBackend(device, Address.stream(stream));
  }

  /**
   * Lets what verbs do from now on wait for the work that another stream of the device has now.
   *
   * @param stream a {@code cudaStream_t}; 0 is the default stream
   */
  public void await(long stream) {
    context.run(() -> context.await(Address.stream(stream)));
  }

  /**
   * Inverts all matrices by cuSOLVER from now on, whatever the table of sizes says: to measure it.
   */
  public CudaBackend withCusolverInverses() {
    cusolverInverses = true;
    return this;
  }

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Storage storage() {
    return context.call(
        () -> {
          context.enter();
          return new Storage(
              "device memory",
              Float.BYTES,
              Double.BYTES,
              Integer.MAX_VALUE - 8,
              Check.freeBytes(),
              "a device with more");
        });
  }

  @Override
  public <T> T inTurn(Supplier<T> calls) {
    return context.call(calls);
  }

  @Override
  public MatrixStack allocate(int count, int rows, int cols) {
    return context.call(() -> new CudaMatrixStack(context, count, rows, cols, false));
  }

  /** In fp64. */
  @Override
  public MatrixStack allocateBasis(int count, int rows, int cols) {
    return context.call(() -> new CudaMatrixStack(context, count, rows, cols, true));
  }

  @Override
  public long[] firstNonFinite(List<? extends Tensor> tensors) {
    return context.call(() -> Elementwise.firstNonFinite(tensors, context));
  }

  @Override
  public double[] largest(List<? extends Tensor> tensors) {
    return context.call(() -> Elementwise.largest(tensors, context));
  }

  @Override
  public void scale(List<? extends Tensor> tensors, double factor) {
    context.run(() -> Elementwise.scale(tensors, factor, context));
  }

  @Override
  public void patches(PatchSamples samples, MatrixStack target) {
    context.run(() -> Patches.run(samples, target, context));
  }

  @Override
  public void accumulate(List<AccumulateRequest> moments) {
    context.run(
        () -> {
          moments.forEach(moment -> changes(moment.target()));
          Accumulation.run(moments, context);
        });
  }

  @Override
  public void accumulateInBasis(List<BasisAccumulateRequest> moments) {
    context.run(
        () -> {
          moments.forEach(moment -> changes(moment.target()));
          BasisAccumulation.run(moments, context);
        });
  }

  @Override
  public List<double[]> traces(List<MatrixStack> stacks) {
    return context.call(() -> Traces.run(stacks, context));
  }

  @Override
  public List<Status[]> invert(List<InvertRequest> inversions) {
    return context.call(
        () -> {
          inversions.forEach(inversion -> changes(inversion.inverse()));
          return Inverses.run(inversions, cusolverInverses, context);
        });
  }

  /**
   * Like {@link #invert}, but returns at once, and does not try again in fp64: an inverse that
   * fails the test is left as it was, and its status is {@link Status.Kind#INACCURATE}. A graph
   * keeps the dampings of the request.
   */
  public Enqueued<List<Status[]>> enqueueInvert(List<InvertRequest> inversions) {
    return context.call(
        () -> {
          inversions.forEach(inversion -> changes(inversion.inverse()));
          return new Enqueued<>(Inverses.enqueue(inversions, cusolverInverses, context));
        });
  }

  @Override
  public List<Status[]> decompose(List<DecomposeRequest> decompositions) {
    return context.call(
        () -> {
          decompositions.forEach(
              request -> {
                changes(request.vectors());
                changes(request.values());
              });
          return Eigenvectors.run(decompositions, context);
        });
  }

  @Override
  public double[] precondition(List<PreconditionRequest> steps) {
    return context.call(() -> KroneckerPreconditioning.run(steps, context));
  }

  /**
   * Like {@link #precondition}, but returns at once, and does not form steps again in fp64: it
   * tells which may be lossy. Gradients are overwritten all the same where they are the results.
   *
   * @throws IllegalArgumentException if a gradient or result is not a {@link DeviceTensor}
   */
  public Enqueued<List<EnqueuedStep>> enqueuePrecondition(List<PreconditionRequest> steps) {
    return context.call(() -> new Enqueued<>(KroneckerPreconditioning.enqueue(steps, context)));
  }

  @Override
  public double[] preconditionInBasis(List<BasisPreconditionRequest> steps) {
    return context.call(() -> BasisPreconditioning.run(steps, context));
  }

  private void changes(MatrixStack target) {
    CudaMatrixStack.of(context, target).changes();
  }

  /** Frees all memory, that of matrix stacks that are still open too; idempotent. */
  @Override
  public void close() {
    context.run(() -> context.close());
  }
}
