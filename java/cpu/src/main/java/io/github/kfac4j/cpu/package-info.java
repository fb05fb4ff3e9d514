/**
 * The {@code cpu} backend: fp32 on OpenBLAS, in place on memory outside the heap. A trainer needs
 * nothing from here; {@link io.github.kfac4j.backend.Backends} finds it.
 */
package io.github.kfac4j.cpu;
