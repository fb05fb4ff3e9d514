import io.github.kfac4j.backend.BackendProvider;
import io.github.kfac4j.cpu.CpuBackendProvider;

/** The CPU backend of kfac4j, on OpenBLAS. */
module io.github.kfac4j.cpu {
  requires transitive io.github.kfac4j.core;
  requires org.bytedeco.javacpp;
  requires org.bytedeco.openblas;

  provides BackendProvider with
      CpuBackendProvider;
}
