/**
 * K-FAC on many machines.
 *
 * <p>{@link io.github.kfac4j.distributed.DistributedKfac} divides the layers of a network among the
 * ranks of a job; {@link io.github.kfac4j.distributed.Assignment} says which rank inverts which
 * layer, and {@link io.github.kfac4j.distributed.Collectives} is what ranks do together. {@link
 * io.github.kfac4j.distributed.AsynchronousKfac} makes inverses beside the training of one process.
 */
package io.github.kfac4j.distributed;
