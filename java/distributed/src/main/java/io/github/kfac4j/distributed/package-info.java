/**
 * K-FAC on many machines.
 *
 * <p>{@link io.github.kfac4j.distributed.Collectives} is what ranks do together; {@link
 * io.github.kfac4j.distributed.Assignment} says which rank inverts which layer.
 */
package io.github.kfac4j.distributed;
