import io.github.kfac4j.backend.BackendProvider;
import io.github.kfac4j.cuda.CudaBackendProvider;

/** The CUDA backend of kfac4j. */
module io.github.kfac4j.cuda {
  requires transitive io.github.kfac4j.core;
  requires transitive org.bytedeco.cuda;
  requires transitive org.bytedeco.javacpp;

  exports io.github.kfac4j.cuda;

  provides BackendProvider with
      CudaBackendProvider;
}
