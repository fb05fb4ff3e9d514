/**
 * K-FAC on many machines.
 *
 * <p>{@link io.github.kfac4j.distributed.DistributedKfac} divides the layers of a network among the
 * ranks of a job; {@link io.github.kfac4j.distributed.Assignment} says which rank inverts which
 * layer, and {@link io.github.kfac4j.distributed.Collectives} is what ranks do together.
 *
 * <p>Asynchronously, {@link io.github.kfac4j.distributed.AsynchronousKfac} makes inverses beside
 * the training of one process, and {@link io.github.kfac4j.distributed.AsynchronousPlan} has ranks
 * for gradients, for statistics and for inverses.
 */
package io.github.kfac4j.distributed;
