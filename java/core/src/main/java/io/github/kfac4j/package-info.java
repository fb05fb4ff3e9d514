/**
 * K-FAC for any trainer: {@link io.github.kfac4j.Kfac} observes what layers saw, refreshes damped
 * inverses and preconditions gradients. It is made of two halves, {@code Statistics} and {@code
 * Inverses}; {@link io.github.kfac4j.BatchStatistics}, what a rank contributes, is the first alone.
 *
 * <h2>Approximations</h2>
 *
 * <p>The Fisher block of a layer with weight W is {@code F = E[vec(sum_t g_t a_t') vec(.)']}, with
 * a the inputs, g the output gradients of single examples and t the positions at which the layer
 * sees an example. {@link io.github.kfac4j.options.Approximation} says what stands for it; each is
 * one file:
 *
 * <ul>
 *   <li>Kronecker, {@code A x G}: {@code KroneckerInverses} with factored damping, {@code
 *       KroneckerBases} with exact damping; {@code EmbeddingBlocks} where A is a diagonal.
 *   <li>EKFAC: a diagonal S in the eigenbasis of the factors, {@code KroneckerBases}. S starts from
 *       the products of eigenvalues, and every observation moves it. At a refresh the basis is
 *       decomposed anew and S starts again, or, of wide layers, the basis is renewed and S follows
 *       it, {@code Renewals}.
 *   <li>diagonal: the same with the identity for a basis.
 *   <li>doubly factored, {@code E[psi psi'] x E[phi phi'] x G}: {@code DoublyFactored}.
 * </ul>
 *
 * <p>All layers have the approximation of {@link
 * io.github.kfac4j.options.KfacOptions#approximation()}, except those that {@link
 * io.github.kfac4j.options.KfacOptions#approximations()} names.
 *
 * <h2>Damping</h2>
 *
 * <p>Factored: {@code (A + pi sqrt(lambda) I) x (G + sqrt(lambda) / pi I)}. Exact: {@code F +
 * lambda I} in the eigenbasis. Averages are never changed by damping. {@link
 * io.github.kfac4j.options.Convention} lists what other libraries do.
 *
 * <h2>Inverses</h2>
 *
 * <p>{@link io.github.kfac4j.options.InversePolicy} chooses the method and the fallbacks; {@link
 * io.github.kfac4j.data.LayerReport} tells what was done, with damping, condition and time.
 *
 * <h2>State</h2>
 *
 * <p>{@link io.github.kfac4j.KfacState} is all that is remembered; it can be saved, loaded on any
 * backend and resumed bit by bit on the same.
 */
package io.github.kfac4j;
