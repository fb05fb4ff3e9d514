package io.github.kfac4j.cpu.openblas;

import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.presets.openblas_nolapack.MklSetNumThreadsLocal;

/**
 * The number of threads of OpenBLAS in this process. The preset's own function would set those of
 * any MKL in the process too, such as libtorch's, whose threads are not ours.
 */
public final class OpenBlasThreads {
  /** Of a type that the preset has for another function of the same signature. */
  private static final class Function extends MklSetNumThreadsLocal {}

  private final Function set;

  private OpenBlasThreads(Function set) {
    this.set = set;
  }

  /** Finds the function in OpenBLAS, which must be loaded, for as long as the process lives. */
  public static OpenBlasThreads find() {
    // where a setting of JavaCPP puts another library in the place of OpenBLAS, it has none
    Pointer address = Loader.addressof("openblas_set_num_threads_local");
    if (address == null) {
      return new OpenBlasThreads(null);
    }
    try (PointerScope own = new PointerScope()) { // or a scope of the caller would free it
      Function set = new Function();
      set.put(address);
      own.detach(set.retainReference());
      return new OpenBlasThreads(set);
    }
  }

  /** Sets the number, of all threads in spite of the function's name; returns the one before. */
  public int set(int threads) {
    return set == null ? threads : set.call(threads);
  }
}
