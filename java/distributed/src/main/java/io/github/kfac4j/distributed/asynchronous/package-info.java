/**
 * K-FAC that does not wait: {@link io.github.kfac4j.distributed.asynchronous.AsynchronousKfac}
 * makes inverses beside the training of one process, and {@link
 * io.github.kfac4j.distributed.asynchronous.AsynchronousPlan} has ranks for gradients, for
 * statistics and for inverses.
 */
package io.github.kfac4j.distributed.asynchronous;
