/**
 * The {@code cuda} backend: own kernels, cuBLAS and cuSOLVER on an NVIDIA GPU. {@link
 * io.github.kfac4j.backend.Backends} finds it.
 */
package io.github.kfac4j.cuda;
