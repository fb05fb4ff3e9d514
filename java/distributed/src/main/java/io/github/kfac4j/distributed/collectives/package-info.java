/**
 * What ranks do together: {@link io.github.kfac4j.distributed.collectives.Collectives}, its engines
 * over MPI and threads, and how numbers and decisions travel on them.
 */
package io.github.kfac4j.distributed.collectives;
