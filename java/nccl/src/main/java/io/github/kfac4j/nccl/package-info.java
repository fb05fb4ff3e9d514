/** Collectives over NCCL 2, with one GPU a rank. */
package io.github.kfac4j.nccl;
