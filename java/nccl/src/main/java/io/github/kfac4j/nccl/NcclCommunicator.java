package io.github.kfac4j.nccl;

import static org.bytedeco.cuda.global.cudart.cudaErrorNotReady;
import static org.bytedeco.cuda.global.cudart.cudaSetDevice;
import static org.bytedeco.cuda.global.cudart.cudaStreamCreateWithFlags;
import static org.bytedeco.cuda.global.cudart.cudaStreamDestroy;
import static org.bytedeco.cuda.global.cudart.cudaStreamNonBlocking;
import static org.bytedeco.cuda.global.cudart.cudaStreamQuery;
import static org.bytedeco.cuda.global.nccl.ncclCommAbort;
import static org.bytedeco.cuda.global.nccl.ncclCommDestroy;
import static org.bytedeco.cuda.global.nccl.ncclCommGetAsyncError;
import static org.bytedeco.cuda.global.nccl.ncclCommInitRank;
import static org.bytedeco.cuda.global.nccl.ncclGetUniqueId;
import static org.bytedeco.cuda.global.nccl.ncclInProgress;

import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.distributed.collectives.CollectiveException;
import io.github.kfac4j.distributed.collectives.Collectives;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.LockSupport;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.nccl.ncclComm;
import org.bytedeco.cuda.nccl.ncclUniqueId;

/** A communicator of NCCL, its stream and its buffers; for one thread. */
final class NcclCommunicator {
  private static final long PAUSE = 20_000; // nanoseconds

  final NcclCheck check;
  final CUstream_st stream = new CUstream_st();
  final NcclBuffer sent;
  final NcclBuffer received;
  private ncclComm comm;
  private CollectiveException broken;

  NcclCommunicator(int rank) {
    this.check = new NcclCheck(rank);
    this.sent = new NcclBuffer(check, stream);
    this.received = new NcclBuffer(check, stream);
  }

  ncclComm handle() {
    return comm;
  }

  /**
   * Meets the other ranks; called by all.
   *
   * @param job by which the unique id reaches all
   * @throws CollectiveException on all ranks, if one of them has no device or no NCCL
   */
  void open(Collectives job, int device) {
    ncclUniqueId id = new ncclUniqueId();
    CollectiveException failure = null;
    try {
      check.runtime(cudaSetDevice(device), "cudaSetDevice(%d)".formatted(device));
      // one that does not wait for the default stream
      check.runtime(
          cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
      if (job.rank() == 0) {
        check.nccl(ncclGetUniqueId(id), "ncclGetUniqueId", null);
      }
    } catch (CollectiveException e) {
      failure = e;
    }
    ByteBuffer failures = Buffers.of(failure == null ? 0 : 1);
    job.allReduce(failures).await(); // nobody is to wait for a rank that cannot come
    if (failure != null) {
      throw failure;
    }
    if (failures.getFloat(0) > 0) {
      throw new CollectiveException(
          "rank %d: NCCL was not started, because another rank could not".formatted(job.rank()));
    }
    ByteBuffer bytes = id.internal().capacity(id.sizeof()).asByteBuffer();
    ByteBuffer copy = Buffers.bytes(bytes.remaining()).put(bytes.duplicate()).flip();
    job.broadcast(copy, 0).await();
    bytes.put(copy);
    ncclComm made = new ncclComm();
    check.nccl(ncclCommInitRank(made, job.size(), id, job.rank()), "ncclCommInitRank", null);
    comm = made;
  }

  /**
   * Does an operation to its end.
   *
   * @param function is named if it fails
   * @param enqueue puts the work on the stream
   * @param result where the result is
   * @param target where it is to go
   */
  void run(String function, Runnable enqueue, NcclBuffer result, ByteBuffer target) {
    if (broken != null) {
      throw new CollectiveException("NCCL was ended before: " + broken.getMessage(), broken);
    }
    try {
      enqueue.run();
      result.download(target.remaining());
      await(function);
      result.store(target);
    } catch (CollectiveException e) {
      broken = e;
      abort();
      throw e;
    }
  }

  /** Waits for the stream, and for an error of whatever rank, after which the stream may hang. */
  private void await(String function) {
    int[] error = new int[1];
    while (true) {
      int state = cudaStreamQuery(stream);
      check.nccl(ncclCommGetAsyncError(comm, error), "ncclCommGetAsyncError", comm);
      if (error[0] != ncclInProgress) {
        check.nccl(error[0], function, comm);
      }
      if (state != cudaErrorNotReady) {
        check.runtime(state, function);
        return;
      }
      LockSupport.parkNanos(PAUSE);
    }
  }

  /** Ends the communicator, so that no other rank waits for this one. */
  void abort() {
    if (comm != null) {
      ncclCommAbort(comm); // whatever it says, the communicator is gone
      comm = null;
    }
  }

  /** Idempotent. */
  void close() {
    ncclComm old = comm;
    comm = null;
    int code = old == null ? 0 : ncclCommDestroy(old);
    sent.free();
    received.free();
    if (!stream.isNull()) {
      cudaStreamDestroy(stream);
      stream.setNull();
    }
    check.nccl(code, "ncclCommDestroy", null);
  }
}
