/**
 * What programs say about ranks: {@link io.github.kfac4j.distributed.sharing.Assignment} says which
 * rank inverts which layer, {@link io.github.kfac4j.distributed.sharing.Handshake} that all ranks
 * ask for the same.
 */
package io.github.kfac4j.distributed.sharing;
