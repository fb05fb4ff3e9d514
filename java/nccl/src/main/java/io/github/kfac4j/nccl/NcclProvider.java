package io.github.kfac4j.nccl;

import io.github.kfac4j.cuda.CudaLibrary;
import io.github.kfac4j.cuda.LocalDevice;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.CollectivesProvider;
import org.bytedeco.cuda.global.nccl;
import org.bytedeco.javacpp.Loader;

/** Announces NCCL, on the device that {@link LocalDevice} gives a rank. */
public final class NcclProvider implements CollectivesProvider {
  @Override
  public String name() {
    return "nccl";
  }

  @Override
  public String unavailableReason() {
    String cuda = CudaLibrary.failure();
    if (cuda != null) {
      return cuda;
    }
    return CudaLibrary.guarded(
        () -> {
          Loader.load(nccl.class);
          LocalDevice.ofThisProcess();
          return null;
        },
        () -> "install NCCL 2 for CUDA 13 (libnccl2), or set LD_LIBRARY_PATH to its library");
  }

  @Override
  public Collectives join(Collectives job) {
    return NcclCollectives.join(job, LocalDevice.ofThisProcess());
  }
}
