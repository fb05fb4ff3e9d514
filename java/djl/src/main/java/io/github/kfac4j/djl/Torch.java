package io.github.kfac4j.djl;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.LibUtils;
import com.sun.jna.Function;
import com.sun.jna.Library;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;

/**
 * What DJL does not tell of its arrays, asked from the C functions of the libtorch that DJL has
 * loaded. An array's handle is the address of a tensor of C++, which these functions take.
 */
final class Torch {
  private static final String ADDRESS = "aoti_torch_get_data_ptr";
  private static final String SIZES = "aoti_torch_get_sizes";
  private static final String STRIDES = "aoti_torch_get_strides";
  private static final String STREAM = "aoti_torch_get_current_cuda_stream";

  /** RTLD_LAZY | RTLD_LOCAL of dlopen; Windows takes no notice. */
  private static final int LAZY_AND_LOCAL = 1;

  private Torch() {}

  /** The functions of tensors, which libtorch has since version 2.2. */
  private static final class Tensors {
    static final NativeLibrary CPU = library("torch_cpu");
    static final Function DATA = CPU.getFunction(ADDRESS);
    static final Function EXTENTS = CPU.getFunction(SIZES);
    static final Function STEPS = CPU.getFunction(STRIDES);
  }

  /**
   * By JNA's own choice the library's symbols would become visible to all others in the process,
   * and a LAPACK that is called later would be libtorch's, with other bits.
   */
  private static NativeLibrary library(String name) {
    Path file = Path.of(LibUtils.getLibtorchPath()).resolve(System.mapLibraryName(name));
    return NativeLibrary.getInstance(
        file.toString(), Map.of(Library.OPTION_OPEN_FLAGS, LAZY_AND_LOCAL));
  }

  /**
   * The memory of an array on the host, from its first element on; of use as long as the array is.
   *
   * @param bytes how much of it, at most 2^31 - 1
   * @throws LinkageError if this libtorch does not tell
   */
  static ByteBuffer memory(PtNDArray array, long bytes) {
    return ask(Tensors.DATA, array).getByteBuffer(0, bytes).order(ByteOrder.nativeOrder());
  }

  /**
   * Where an array's first element lies, on the host or on a GPU.
   *
   * @throws LinkageError if this libtorch does not tell
   */
  static long address(PtNDArray array) {
    return Pointer.nativeValue(ask(Tensors.DATA, array));
  }

  /**
   * Whether the elements lie row by row without gaps.
   *
   * @throws LinkageError if this libtorch does not tell
   */
  static boolean isContiguous(PtNDArray array) {
    if (array.isEmpty()) {
      return true;
    }
    long[] sizes = longs(Tensors.EXTENTS, array);
    long[] strides = strides(array);
    long step = 1;
    for (int i = sizes.length - 1; i >= 0; i--) {
      if (sizes[i] != 1 && strides[i] != step) {
        return false;
      }
      step *= sizes[i];
    }
    return true;
  }

  /**
   * How far elements of each dimension lie apart, in elements.
   *
   * @throws LinkageError if this libtorch does not tell
   */
  static long[] strides(PtNDArray array) {
    return longs(Tensors.STEPS, array);
  }

  private static long[] longs(Function function, PtNDArray array) {
    int rank = array.getShape().dimension();
    return rank == 0 ? new long[0] : ask(function, array).getLongArray(0, rank);
  }

  private static Pointer ask(Function function, PtNDArray array) {
    PointerByReference answer = new PointerByReference();
    int error = function.invokeInt(new Object[] {new Pointer(array.getHandle()), answer});
    if (error != 0) {
      throw new IllegalStateException(
          function.getName() + " of libtorch failed for an array of shape " + array.getShape());
    }
    return answer.getValue();
  }

  /**
   * The stream that libtorch works on now.
   *
   * @return a {@code cudaStream_t}; 0 is CUDA's default stream, on which DJL works
   * @throws LinkageError if this libtorch does not tell
   */
  static long stream(int device) {
    PointerByReference answer = new PointerByReference();
    Function function = library("torch_cuda").getFunction(STREAM);
    int error = function.invokeInt(new Object[] {device, answer});
    if (error != 0) {
      throw new IllegalStateException(STREAM + " of libtorch failed for device " + device);
    }
    return Pointer.nativeValue(answer.getValue());
  }
}
