package io.github.kfac4j.backend;

import io.github.kfac4j.tensor.Tensor;

/**
 * A layer's gradient in the trainer's layout.
 *
 * @param weight {@code [groups * rows, cols]} in memory, whatever its nominal shape: {@code [out,
 *     in]} or {@code [out, in/groups, kh, kw]}
 * @param bias {@code [groups * rows]}, the last column of the matrix that is preconditioned; null
 *     for a layer without bias
 */
public record Gradient(Tensor weight, Tensor bias) {}
