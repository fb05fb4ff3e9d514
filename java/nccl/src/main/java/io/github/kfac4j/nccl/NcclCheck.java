package io.github.kfac4j.nccl;

import static org.bytedeco.cuda.global.cudart.cudaGetErrorString;
import static org.bytedeco.cuda.global.nccl.ncclGetErrorString;
import static org.bytedeco.cuda.global.nccl.ncclGetLastError;
import static org.bytedeco.cuda.global.nccl.ncclSuccess;

import io.github.kfac4j.distributed.collectives.CollectiveException;
import org.bytedeco.cuda.nccl.ncclComm;

/**
 * Looks at the statuses of NCCL and, for its engine, of the CUDA runtime.
 *
 * @param rank is named in what is thrown
 */
record NcclCheck(int rank) {
  /** Throws unless a call of NCCL succeeded; {@code comm} may be null. */
  void nccl(int code, String function, ncclComm comm) {
    if (code != ncclSuccess) {
      String last = ncclGetLastError(comm).getString().strip();
      fail(
          function,
          code,
          ncclGetErrorString(code).getString() + (last.isEmpty() ? "" : ": " + last));
    }
  }

  /** Throws unless a call of the CUDA runtime succeeded. */
  void runtime(int code, String function) {
    if (code != 0) {
      fail(function, code, cudaGetErrorString(code).getString());
    }
  }

  private void fail(String function, int code, String words) {
    throw new CollectiveException(
        "rank %d: %s failed with %d (%s)".formatted(rank, function, code, words));
  }
}
