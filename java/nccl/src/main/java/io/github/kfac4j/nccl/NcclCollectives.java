package io.github.kfac4j.nccl;

import static org.bytedeco.cuda.global.nccl.ncclAllReduce;
import static org.bytedeco.cuda.global.nccl.ncclBroadcast;
import static org.bytedeco.cuda.global.nccl.ncclFloat32;
import static org.bytedeco.cuda.global.nccl.ncclGroupEnd;
import static org.bytedeco.cuda.global.nccl.ncclGroupStart;
import static org.bytedeco.cuda.global.nccl.ncclInt8;
import static org.bytedeco.cuda.global.nccl.ncclRecv;
import static org.bytedeco.cuda.global.nccl.ncclReduce;
import static org.bytedeco.cuda.global.nccl.ncclSend;
import static org.bytedeco.cuda.global.nccl.ncclSum;

import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.distributed.collectives.CollectiveException;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.QueuedCollectives;
import java.nio.ByteBuffer;
import java.util.function.IntConsumer;

/**
 * NCCL with one GPU a rank, on a stream of its own. The caller's buffers, in host memory, go
 * through pinned memory. Ranks find each other by a job that they have joined already, over MPI.
 *
 * <p>NCCL has no reduce-scatter and no all-gather of parts that differ in size. They are made of
 * one reduction to, or one broadcast from, each rank, in a group, which NCCL runs together: unlike
 * with sends and receives, no rank has to hold or add the contributions of all others.
 *
 * <p>An error, of this rank or of another one, ends the communicator: operations that wait and
 * those that come later throw what happened, naming the function and the rank.
 */
final class NcclCollectives extends QueuedCollectives {
  private final Collectives job;
  private final int device;
  private final NcclCommunicator nccl;
  private boolean closed;

  private NcclCollectives(Collectives job, int device) {
    super("kfac-nccl");
    this.job = job;
    this.device = device;
    this.nccl = new NcclCommunicator(job.rank());
  }

  /**
   * Makes the engine; called by all ranks of the job.
   *
   * @param job belongs to the engine from then on
   * @throws CollectiveException on all ranks, if one of them has no device or no NCCL
   */
  static NcclCollectives join(Collectives job, int device) {
    NcclCollectives engine = new NcclCollectives(job, device);
    try {
      engine.submit(() -> engine.nccl.open(job, device)).await();
    } catch (CollectiveException e) {
      engine.submit(engine.nccl::close).await();
      engine.stopQueue();
      throw e;
    }
    return engine;
  }

  @Override
  public String name() {
    return "nccl";
  }

  @Override
  public int rank() {
    return job.rank();
  }

  @Override
  public int size() {
    return job.size();
  }

  @Override
  protected void doAllReduce(ByteBuffer floats) {
    nccl.run("ncclAllReduce", () -> enqueueAllReduce(floats), nccl.sent, floats);
  }

  /** NCCL has no barrier: a number is summed. */
  @Override
  protected void doBarrier() {
    doAllReduce(Buffers.of(1));
  }

  private void enqueueAllReduce(ByteBuffer floats) {
    nccl.sent.upload(floats);
    int count = floats.remaining() / Float.BYTES;
    check(
        "ncclAllReduce",
        ncclAllReduce(
            nccl.sent.at(0),
            nccl.sent.at(0),
            count,
            ncclFloat32,
            ncclSum,
            nccl.handle(),
            nccl.stream));
  }

  @Override
  protected void doReduceScatter(ByteBuffer send, int[] counts, ByteBuffer receive) {
    nccl.run("ncclReduce", () -> enqueueReduces(send, counts, receive), nccl.received, receive);
  }

  private void enqueueReduces(ByteBuffer send, int[] counts, ByteBuffer receive) {
    nccl.sent.upload(send);
    nccl.received.reserve(receive.remaining());
    int[] starts = starts(counts);
    group(
        root -> {
          if (counts[root] > 0) {
            check(
                "ncclReduce",
                ncclReduce(
                    nccl.sent.at(starts[root]),
                    nccl.received.at(0),
                    counts[root] / Float.BYTES,
                    ncclFloat32,
                    ncclSum,
                    root,
                    nccl.handle(),
                    nccl.stream));
          }
        });
  }

  @Override
  protected void doAllGather(ByteBuffer send, int[] counts, ByteBuffer receive) {
    nccl.run(
        "ncclBroadcast", () -> enqueueBroadcasts(send, counts, receive), nccl.received, receive);
  }

  private void enqueueBroadcasts(ByteBuffer send, int[] counts, ByteBuffer receive) {
    nccl.sent.upload(send);
    nccl.received.reserve(receive.remaining());
    int[] starts = starts(counts);
    group(
        root -> {
          if (counts[root] > 0) {
            check(
                "ncclBroadcast",
                ncclBroadcast(
                    nccl.sent.at(0),
                    nccl.received.at(starts[root]),
                    counts[root],
                    ncclInt8,
                    root,
                    nccl.handle(),
                    nccl.stream));
          }
        });
  }

  @Override
  protected void doAllToAll(
      ByteBuffer send, int[] sendCounts, ByteBuffer receive, int[] receiveCounts) {
    nccl.run(
        "ncclSend and ncclRecv",
        () -> enqueueSends(send, sendCounts, receive, receiveCounts),
        nccl.received,
        receive);
  }

  private void enqueueSends(
      ByteBuffer send, int[] sendCounts, ByteBuffer receive, int[] receiveCounts) {
    nccl.sent.upload(send);
    nccl.received.reserve(receive.remaining());
    int[] out = starts(sendCounts);
    int[] in = starts(receiveCounts);
    group(
        peer -> {
          if (sendCounts[peer] > 0) {
            int count = sendCounts[peer];
            check(
                "ncclSend",
                ncclSend(
                    nccl.sent.at(out[peer]), count, ncclInt8, peer, nccl.handle(), nccl.stream));
          }
          if (receiveCounts[peer] > 0) {
            int count = receiveCounts[peer];
            check(
                "ncclRecv",
                ncclRecv(
                    nccl.received.at(in[peer]), count, ncclInt8, peer, nccl.handle(), nccl.stream));
          }
        });
  }

  @Override
  protected void doBroadcast(ByteBuffer bytes, int root) {
    nccl.run("ncclBroadcast", () -> enqueueBroadcast(bytes, root), nccl.sent, bytes);
  }

  private void enqueueBroadcast(ByteBuffer bytes, int root) {
    nccl.sent.upload(bytes);
    check(
        "ncclBroadcast",
        ncclBroadcast(
            nccl.sent.at(0),
            nccl.sent.at(0),
            bytes.remaining(),
            ncclInt8,
            root,
            nccl.handle(),
            nccl.stream));
  }

  private static int[] starts(int[] counts) {
    int[] starts = new int[counts.length];
    for (int r = 1; r < starts.length; r++) {
      starts[r] = starts[r - 1] + counts[r - 1];
    }
    return starts;
  }

  /** Enqueues something for each rank, as one. */
  private void group(IntConsumer each) {
    check("ncclGroupStart", ncclGroupStart());
    try {
      for (int rank = 0; rank < size(); rank++) {
        each.accept(rank);
      }
    } catch (CollectiveException e) {
      ncclGroupEnd();
      throw e;
    }
    check("ncclGroupEnd", ncclGroupEnd());
  }

  private void check(String function, int code) {
    nccl.check.nccl(code, function, nccl.handle());
  }

  @Override
  public Collectives split(int color) {
    return join(job.split(color), device);
  }

  @Override
  public void abort(String reason, int exitCode) {
    job.abort(reason, exitCode);
    submit(nccl::abort);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      try {
        submit(nccl::close).await();
      } finally {
        stopQueue();
        job.close();
      }
    }
  }
}
