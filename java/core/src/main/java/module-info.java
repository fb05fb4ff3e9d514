/** The public API, the backend SPI and the pure-Java fp64 oracle of kfac4j. */
module io.github.kfac4j.core {
  exports io.github.kfac4j.safetensors;
}
