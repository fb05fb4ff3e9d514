/** Damped inverses and eigendecompositions, and whether they may be trusted. */
package io.github.kfac4j.cpu.inversion;
