package io.github.kfac4j.distributed.collectives;

import java.nio.ByteBuffer;

/**
 * What the ranks of a job do together. Every rank calls the same operations in the same order with
 * matching sizes; each starts at once and is waited for by its {@link Pending}, and operations of
 * one rank happen in the order in which they were called.
 *
 * <p>Buffers are direct and in native byte order; data is what lies between position and limit,
 * which are not changed. A buffer belongs to the operation until it has been waited for. Sums are
 * of fp32 numbers. Counts are in bytes, one for each rank, and the parts lie one after the other in
 * the order of the ranks.
 *
 * <p>A sum that goes to one rank is made once, so whoever gets it from there has the same bits. An
 * instance is used by one thread at a time.
 */
public interface Collectives extends AutoCloseable {
  /** The engine: {@code threads}, {@code mpi}, {@code nccl}. */
  String name();

  /** This rank, from 0. */
  int rank();

  /** The number of ranks. */
  int size();

  /** Replaces the numbers by their sums over all ranks. */
  Pending allReduce(ByteBuffer floats);

  /**
   * Sums over all ranks; each rank gets its own part of the sums.
   *
   * @param send the numbers of this rank for all ranks
   * @param counts bytes of each rank's part
   * @param receive this rank's part of the sums
   */
  Pending reduceScatter(ByteBuffer send, int[] counts, ByteBuffer receive);

  /**
   * Every rank gets the parts of all ranks.
   *
   * @param send this rank's part
   * @param counts bytes of each rank's part
   * @param receive all parts
   */
  Pending allGather(ByteBuffer send, int[] counts, ByteBuffer receive);

  /**
   * Every rank sends a part to every rank.
   *
   * @param send the parts for all ranks
   * @param sendCounts bytes for each rank
   * @param receive the parts from all ranks
   * @param receiveCounts bytes from each rank
   */
  Pending allToAll(ByteBuffer send, int[] sendCounts, ByteBuffer receive, int[] receiveCounts);

  /** Replaces the bytes by those of the rank {@code root}. */
  Pending broadcast(ByteBuffer bytes, int root);

  /** Ends when all ranks have come to it. */
  Pending barrier();

  /**
   * Makes jobs of some of these ranks each, which do not wait for one another; called by all.
   *
   * @param color ranks that give the same number, at least 0, are one job, in the order that they
   *     have here
   * @return this rank's job, to be closed before this one
   */
  Collectives split(int color);

  /**
   * Ends the job on all ranks, because this one cannot go on; those that wait for it must not wait
   * forever. With MPI it ends the processes and does not return.
   *
   * @param exitCode of the processes, if they end
   */
  void abort(String reason, int exitCode);

  /** Leaves the job after all operations have ended; idempotent. */
  @Override
  void close();
}
