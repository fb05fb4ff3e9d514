/**
 * What ranks do together: {@link io.github.kfac4j.distributed.collectives.Collectives}, its engines
 * over MPI and threads.
 */
package io.github.kfac4j.distributed.collectives;
