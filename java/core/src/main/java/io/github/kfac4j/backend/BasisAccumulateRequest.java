package io.github.kfac4j.backend;

import io.github.kfac4j.samples.Samples;

/**
 * One update of the second moment of per-example gradients in a Kronecker basis (EKFAC, George et
 * al. 2018), for each group {@code k}:
 *
 * <pre>target[k] = decay * target[k]
 *           + weight * (sum over examples n of (Qg' (sum over t of g_t a_t') Qa)^2)</pre>
 *
 * with the square taken per element.
 *
 * @param target {@code [groups, g.dim, a.dim]}
 * @param decay what remains of the old value; 0 overwrites, whatever was there
 * @param weight the weight of the new sum
 * @param g output gradients
 * @param a inputs
 * @param gBasis of the rows, for each group; null for the identity
 * @param aBasis of the columns, for each group; null for the identity
 */
public record BasisAccumulateRequest(
    MatrixStack target,
    double decay,
    double weight,
    Samples g,
    Samples a,
    Basis gBasis,
    Basis aBasis) {}
