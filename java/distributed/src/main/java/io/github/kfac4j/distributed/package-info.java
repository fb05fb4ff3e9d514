/**
 * K-FAC shared by ranks: {@link io.github.kfac4j.distributed.DistributedKfac} divides the layers of
 * a network among the ranks of a job.
 */
package io.github.kfac4j.distributed;
