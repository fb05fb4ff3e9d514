/**
 * K-FAC shared by ranks: {@link io.github.kfac4j.distributed.sharing.DistributedKfac} divides the
 * layers of a network among the ranks of a job, and {@link
 * io.github.kfac4j.distributed.sharing.Assignment} says which rank inverts which layer.
 */
package io.github.kfac4j.distributed.sharing;
