/** K-FAC in training programs of the Deep Java Library, on its PyTorch engine. */
module io.github.kfac4j.djl {
  requires transitive ai.djl.api;
  requires transitive io.github.kfac4j.core;
  requires ai.djl.pytorch_engine;
  requires com.sun.jna;
  requires static io.github.kfac4j.cuda;

  exports io.github.kfac4j.djl;
}
