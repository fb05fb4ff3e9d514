import io.github.kfac4j.backend.BackendProvider;
import io.github.kfac4j.reference.JavaBackendProvider;

/** The public API, the backend SPI and the pure-Java fp64 reference backend of kfac4j. */
module io.github.kfac4j.core {
  exports io.github.kfac4j;
  exports io.github.kfac4j.backend;
  exports io.github.kfac4j.data;
  exports io.github.kfac4j.files;
  exports io.github.kfac4j.fisher;
  exports io.github.kfac4j.layer;
  exports io.github.kfac4j.options;
  exports io.github.kfac4j.reference;
  exports io.github.kfac4j.safetensors;
  exports io.github.kfac4j.trainer;
  exports io.github.kfac4j.tensor;

  uses BackendProvider;

  provides BackendProvider with
      JavaBackendProvider;
}
