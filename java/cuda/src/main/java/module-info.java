import io.github.kfac4j.backend.BackendProvider;
import io.github.kfac4j.cuda.CudaBackendProvider;
import io.github.kfac4j.cuda.NcclProvider;
import io.github.kfac4j.distributed.CollectivesProvider;

/** The CUDA backend of kfac4j, and its ranks' collectives over NCCL. */
module io.github.kfac4j.cuda {
  requires transitive io.github.kfac4j.core;
  requires io.github.kfac4j.distributed;
  requires transitive org.bytedeco.cuda;
  requires transitive org.bytedeco.javacpp;

  exports io.github.kfac4j.cuda;

  provides BackendProvider with
      CudaBackendProvider;
  provides CollectivesProvider with
      NcclProvider;
}
