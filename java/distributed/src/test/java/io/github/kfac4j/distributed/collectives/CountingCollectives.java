package io.github.kfac4j.distributed.collectives;

import java.nio.ByteBuffer;

/**
 * Counts the bytes that a rank puts on the wire: every contribution is sent straight to the rank
 * that needs it, and nothing to itself. An all-reduce counts as a reduce-scatter in equal parts
 * followed by an all-gather. Engines may route otherwise, but none that moves less is known for the
 * operations with parts.
 */
public final class CountingCollectives implements Collectives {
  private final Collectives engine;
  private long bytes;

  /** Counts what goes through {@code engine}, which is closed with this. */
  public CountingCollectives(Collectives engine) {
    this.engine = engine;
  }

  /** Bytes sent by this rank so far. */
  public long bytes() {
    return bytes;
  }

  @Override
  public String name() {
    return engine.name();
  }

  @Override
  public int rank() {
    return engine.rank();
  }

  @Override
  public int size() {
    return engine.size();
  }

  @Override
  public Pending allReduce(ByteBuffer floats) {
    bytes += 2L * floats.remaining() * (size() - 1) / size();
    return engine.allReduce(floats);
  }

  @Override
  public Pending reduceScatter(ByteBuffer send, int[] counts, ByteBuffer receive) {
    bytes += send.remaining() - counts[rank()];
    return engine.reduceScatter(send, counts, receive);
  }

  @Override
  public Pending allGather(ByteBuffer send, int[] counts, ByteBuffer receive) {
    bytes += (long) send.remaining() * (size() - 1);
    return engine.allGather(send, counts, receive);
  }

  @Override
  public Pending allToAll(
      ByteBuffer send, int[] sendCounts, ByteBuffer receive, int[] receiveCounts) {
    bytes += send.remaining() - sendCounts[rank()];
    return engine.allToAll(send, sendCounts, receive, receiveCounts);
  }

  @Override
  public Pending broadcast(ByteBuffer values, int root) {
    bytes += rank() == root ? (long) values.remaining() * (size() - 1) : 0;
    return engine.broadcast(values, root);
  }

  @Override
  public Pending barrier() {
    return engine.barrier();
  }

  @Override
  public Collectives split(int color) {
    return new CountingCollectives(engine.split(color));
  }

  @Override
  public void abort(String reason, int exitCode) {
    engine.abort(reason, exitCode);
  }

  @Override
  public void close() {
    engine.close();
  }
}
