/**
 * Layers as data: the shapes of their parameters, and which vectors their factors are made of. Each
 * kind is one file.
 *
 * <p>A {@link io.github.kfac4j.layer.Layer} turns one {@link io.github.kfac4j.layer.Use}, an input
 * and the gradient at the output, into vectors a and g such that the gradient of example n is the
 * sum over positions t of {@code g_nt a_nt'}:
 *
 * <table>
 * <caption>Vectors of one use</caption>
 * <tr><th>layer</th><th>a</th><th>g</th></tr>
 * <tr><td>{@link io.github.kfac4j.layer.Dense}, {@link io.github.kfac4j.layer.FlattenedDense}</td>
 * <td>inputs, with a 1 for the bias</td><td>output gradients</td></tr>
 * <tr><td>{@link io.github.kfac4j.layer.Conv1d}, {@link io.github.kfac4j.layer.Conv2d}</td>
 * <td>patches of the input</td><td>output gradients across channels</td></tr>
 * <tr><td>{@link io.github.kfac4j.layer.ConvTranspose2d}</td>
 * <td>patches of the input spread out by zeros</td><td>the same</td></tr>
 * <tr><td>{@link io.github.kfac4j.layer.Embedding}</td>
 * <td>one-hot rows, kept as numbers</td><td>gradients of the embedded vectors</td></tr>
 * <tr><td>{@link io.github.kfac4j.layer.ScaleShift}</td>
 * <td>the constant 1</td><td>gradients of the parameters themselves</td></tr>
 * </table>
 *
 * <p>Further uses in the same pass count as further positions.
 */
package io.github.kfac4j.layer;
