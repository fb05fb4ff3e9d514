package io.github.kfac4j.cuda.calls;

import static org.bytedeco.cuda.global.cudart.cudaMemcpyAsync;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToDevice;
import static org.bytedeco.cuda.global.cudart.cudaMemsetAsync;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.context.CudaContext;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import org.bytedeco.javacpp.FloatPointer;

/** A stack of matrices in device memory, in fp32 or fp64. */
public final class CudaMatrixStack implements MatrixStack {
  private final CudaContext context;
  private final int count;
  private final int rows;
  private final int cols;
  private final boolean wide;
  private long address;

  /** Where the squared Frobenius norms are kept; 0 until somebody asks. */
  private long norms;

  private boolean normsKnown;

  /**
   * A stack of zeros.
   *
   * @param wide in fp64, which only the verbs of eigendecompositions take
   */
  public CudaMatrixStack(CudaContext context, int count, int rows, int cols, boolean wide) {
    this.context = context;
    this.wide = wide;
    this.count = count;
    this.rows = rows;
    this.cols = cols;
    long bytes = (long) size() * elementBytes();
    context.enter();
    address = context.allocate(bytes, "a stack of " + shape());
    context
        .check()
        .runtime(
            cudaMemsetAsync(Address.pointer(address), 0, bytes, context.stream()),
            "cudaMemsetAsync",
            bytes + " bytes");
  }

  /** The stack as one of this backend's. */
  public static CudaMatrixStack of(CudaContext context, MatrixStack stack) {
    if (stack instanceof CudaMatrixStack own && own.context == context) {
      return own;
    }
    throw new IllegalArgumentException(
        "a matrix stack of another backend was passed to this CUDA backend");
  }

  /** Where the elements lie on the device. */
  public long address() {
    if (address == 0 || context.closed()) {
      throw new IllegalStateException("the matrix stack is closed");
    }
    return address;
  }

  /** The elements of a stack of fp32. */
  public FloatPointer pointer() {
    if (wide) {
      throw new IllegalArgumentException("a stack of fp64 for a verb that takes fp32: " + shape());
    }
    return Address.floats(address());
  }

  /** Room for an fp64 number a matrix, its squared Frobenius norm where {@link #hasNorms}. */
  public long norms() {
    address();
    if (norms == 0) {
      norms = context.allocate((long) count * Double.BYTES, "the norms of " + shape());
    }
    return norms;
  }

  public boolean hasNorms() {
    return normsKnown;
  }

  /** What writes {@link #norms} has been enqueued. */
  public void normsFound() {
    normsKnown = true;
  }

  /** Elements are about to change: to be called by all that writes them. */
  public void changes() {
    normsKnown = false;
  }

  /** The kfac_dtype of the elements. */
  public int dtype() {
    return wide ? kfac_cuda.KFAC_F64 : kfac_cuda.KFAC_F32;
  }

  int elementBytes() {
    return wide ? Double.BYTES : Float.BYTES;
  }

  /** Where matrix {@code k} starts. */
  public long address(int k) {
    return address() + (long) k * rows * cols * elementBytes();
  }

  public String shape() {
    return "%d x %d x %d".formatted(count, rows, cols);
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int cols() {
    return cols;
  }

  @Override
  public boolean isDouble() {
    return wide;
  }

  @Override
  public double[] toArray() {
    return context.call(
        () -> {
          long from = address();
          context.enter();
          double[] all = new double[size()];
          if (wide) {
            context.staging().downloadDoubles(from, all);
          } else {
            context.staging().downloadFloats(from, all);
          }
          return all;
        });
  }

  @Override
  public void set(double[] elements) {
    context.run(
        () -> {
          long to = address();
          requireSize(elements);
          context.enter();
          changes();
          if (wide) {
            context.staging().uploadDoubles(elements, to);
          } else {
            context.staging().uploadFloats(elements, to);
          }
          context.settle();
        });
  }

  @Override
  public void copyFrom(MatrixStack other) {
    context.run(
        () -> {
          CudaMatrixStack own = of(context, other);
          requireLike(own);
          long bytes = (long) size() * elementBytes();
          context.enter();
          changes();
          context
              .check()
              .runtime(
                  cudaMemcpyAsync(
                      Address.pointer(address()),
                      Address.pointer(own.address()),
                      bytes,
                      cudaMemcpyDeviceToDevice,
                      context.stream()),
                  "cudaMemcpyAsync",
                  bytes + " bytes");
          context.settle();
        });
  }

  @Override
  public MatrixStack like() {
    return new CudaMatrixStack(context, count, rows, cols, wide);
  }

  @Override
  public void close() {
    context.run(
        () -> {
          context.free(address);
          context.free(norms);
          address = 0;
        });
  }
}
