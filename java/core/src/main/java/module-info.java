import io.github.kfac4j.backend.BackendProvider;
import io.github.kfac4j.reference.JavaBackendProvider;

/** The public API, the backend SPI and the pure-Java fp64 reference backend of kfac4j. */
@SuppressWarnings("module") // those that may see the reference are compiled later
module io.github.kfac4j.core {
  exports io.github.kfac4j;
  exports io.github.kfac4j.apply;
  exports io.github.kfac4j.backend;
  exports io.github.kfac4j.data;
  exports io.github.kfac4j.files;
  exports io.github.kfac4j.fisher;
  exports io.github.kfac4j.layer;
  exports io.github.kfac4j.options;
  exports io.github.kfac4j.reference to
      io.github.kfac4j.cli,
      io.github.kfac4j.testkit;
  exports io.github.kfac4j.safetensors;
  exports io.github.kfac4j.samples;
  exports io.github.kfac4j.trainer;
  exports io.github.kfac4j.tensor;

  uses BackendProvider;

  provides BackendProvider with
      JavaBackendProvider;
}
