package io.github.kfac4j.distributed.collectives;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;

/**
 * An engine whose blocking operations run one after the other on a thread of its own, so that the
 * caller computes meanwhile. Engines get arguments that have been checked.
 */
public abstract class QueuedCollectives implements Collectives {
  private final ExecutorService queue;

  /** Starts the thread. */
  protected QueuedCollectives(String threadName) {
    queue =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, threadName);
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Runs on the engine's thread after all that was submitted before. */
  protected final Pending submit(Runnable operation) {
    CompletableFuture<Void> future;
    try {
      future = CompletableFuture.runAsync(operation, queue);
    } catch (RejectedExecutionException e) {
      throw new CollectiveException("rank %d has left the job".formatted(rank()), e);
    }
    return () -> await(future);
  }

  /**
   * An interrupt ends no wait and stays for the caller to find: the other ranks count on this one,
   * and a job of which one leaves an operation early is out of step for good.
   */
  private void await(CompletableFuture<Void> future) {
    try {
      future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof CollectiveException failure) {
        throw new CollectiveException(failure.getMessage(), failure);
      }
      throw new CollectiveException("rank %d: %s".formatted(rank(), e.getCause()), e.getCause());
    }
  }

  /** Ends the thread. */
  protected final void stopQueue() {
    queue.shutdown();
  }

  private int[] perRank(String operation, int[] counts) {
    Buffers.require(
        counts.length == size(), operation, "counts for each rank", counts.length, size());
    return counts.clone();
  }

  private static void requireSize(String operation, String what, ByteBuffer buffer, int bytes) {
    Buffers.require(
        buffer.remaining() == bytes, operation, what + " bytes", buffer.remaining(), bytes);
    Buffers.require(buffer.isDirect(), operation, what + " buffer", "on the heap", "direct");
  }

  private static void requireFloats(String operation, int bytes) {
    Buffers.require(
        bytes % Float.BYTES == 0, operation, "bytes of fp32 numbers", bytes, "a multiple of 4");
  }

  @Override
  public final Pending allReduce(ByteBuffer floats) {
    requireSize("all-reduce", "own", floats, floats.remaining());
    requireFloats("all-reduce", floats.remaining());
    return submit(() -> doAllReduce(floats));
  }

  @Override
  public final Pending reduceScatter(ByteBuffer send, int[] counts, ByteBuffer receive) {
    int[] parts = perRank("reduce-scatter", counts);
    for (int count : parts) {
      requireFloats("reduce-scatter", count);
    }
    requireSize("reduce-scatter", "sent", send, Buffers.sum(parts));
    requireSize("reduce-scatter", "received", receive, parts[rank()]);
    return submit(() -> doReduceScatter(send, parts, receive));
  }

  @Override
  public final Pending allGather(ByteBuffer send, int[] counts, ByteBuffer receive) {
    int[] parts = perRank("all-gather", counts);
    requireSize("all-gather", "sent", send, parts[rank()]);
    requireSize("all-gather", "received", receive, Buffers.sum(parts));
    return submit(() -> doAllGather(send, parts, receive));
  }

  @Override
  public final Pending allToAll(
      ByteBuffer send, int[] sendCounts, ByteBuffer receive, int[] receiveCounts) {
    int[] out = perRank("all-to-all", sendCounts);
    int[] in = perRank("all-to-all", receiveCounts);
    requireSize("all-to-all", "sent", send, Buffers.sum(out));
    requireSize("all-to-all", "received", receive, Buffers.sum(in));
    return submit(() -> doAllToAll(send, out, receive, in));
  }

  @Override
  public final Pending broadcast(ByteBuffer bytes, int root) {
    Buffers.require(
        root >= 0 && root < size(), "broadcast", "root", root, "a rank below " + size());
    requireSize("broadcast", "own", bytes, bytes.remaining());
    return submit(() -> doBroadcast(bytes, root));
  }

  @Override
  public final Pending barrier() {
    return submit(this::doBarrier);
  }

  /** {@link #allReduce}, until it has ended. */
  protected abstract void doAllReduce(ByteBuffer floats);

  /** {@link #reduceScatter}, until it has ended. */
  protected abstract void doReduceScatter(ByteBuffer send, int[] counts, ByteBuffer receive);

  /** {@link #allGather}, until it has ended. */
  protected abstract void doAllGather(ByteBuffer send, int[] counts, ByteBuffer receive);

  /** {@link #allToAll}, until it has ended. */
  protected abstract void doAllToAll(
      ByteBuffer send, int[] sendCounts, ByteBuffer receive, int[] receiveCounts);

  /** {@link #broadcast}, until it has ended. */
  protected abstract void doBroadcast(ByteBuffer bytes, int root);

  /** {@link #barrier}, until it has ended. */
  protected abstract void doBarrier();
}
