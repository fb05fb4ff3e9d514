import io.github.kfac4j.distributed.collectives.CollectivesProvider;
import io.github.kfac4j.nccl.NcclProvider;

/** Collectives over NCCL; found by their name, {@code nccl}. */
module io.github.kfac4j.nccl {
  requires io.github.kfac4j.cuda;
  requires io.github.kfac4j.distributed;

  provides CollectivesProvider with
      NcclProvider;
}
