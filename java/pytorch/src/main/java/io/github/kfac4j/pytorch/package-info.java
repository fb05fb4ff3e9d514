/**
 * K-FAC in training programs on the JavaCPP presets of PyTorch; {@link
 * io.github.kfac4j.pytorch.TorchKfac} is where to begin.
 */
package io.github.kfac4j.pytorch;
