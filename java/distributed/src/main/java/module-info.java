/** Collectives and the layer-parallel preconditioner of kfac4j. */
module io.github.kfac4j.distributed {
  requires transitive io.github.kfac4j.core;
  requires org.bytedeco.javacpp;

  exports io.github.kfac4j.distributed;
  exports io.github.kfac4j.distributed.asynchronous;
  exports io.github.kfac4j.distributed.collectives;
  exports io.github.kfac4j.distributed.sharing;

  uses io.github.kfac4j.distributed.collectives.CollectivesProvider;
}
