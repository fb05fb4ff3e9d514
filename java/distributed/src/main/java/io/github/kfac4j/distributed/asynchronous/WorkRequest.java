package io.github.kfac4j.distributed.asynchronous;

import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.distributed.collectives.Collectives;
import java.nio.ByteBuffer;

/**
 * What gradient workers ask of the others, in this order: it goes with the weights to the
 * statistics workers and from them to the inverse workers.
 *
 * @param kind what is to be done
 * @param clock the step at which it was asked for
 * @param statistics in a step, whether factors are to be made of weights that follow
 * @param refresh in a step, whether inverses are to be renewed and published
 * @param damping in force
 * @param weightBytes how many bytes of weights follow
 */
record WorkRequest(
    Kind kind, long clock, boolean statistics, boolean refresh, double damping, int weightBytes) {
  private static final int BYTES = 3 * Integer.BYTES + Long.BYTES + Double.BYTES + Integer.BYTES;

  enum Kind {
    /** Statistics, a refresh or both. */
    STEP,
    /** The state is published as it is. */
    SAVE,
    /** The state comes from the gradient workers. */
    RESTORE,
    /** The work is over. */
    END
  }

  static WorkRequest of(Kind kind, long clock) {
    return new WorkRequest(kind, clock, false, false, 0, 0);
  }

  /** Tells the others; this is the rank 0 of the job. */
  void send(Collectives job) {
    ByteBuffer message =
        Buffers.bytes(BYTES)
            .putInt(kind.ordinal())
            .putInt(statistics ? 1 : 0)
            .putInt(refresh ? 1 : 0)
            .putLong(clock)
            .putDouble(damping)
            .putInt(weightBytes);
    job.broadcast(message.flip(), 0).await();
  }

  /** Waits for what rank 0 tells. */
  static WorkRequest receive(Collectives job) {
    ByteBuffer message = Buffers.bytes(BYTES);
    job.broadcast(message, 0).await();
    Kind kind = Kind.values()[message.getInt()];
    boolean statistics = message.getInt() > 0;
    boolean refresh = message.getInt() > 0;
    return new WorkRequest(
        kind, message.getLong(), statistics, refresh, message.getDouble(), message.getInt());
  }
}
