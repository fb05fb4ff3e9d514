package io.github.kfac4j.backend;

/**
 * A gradient known as a sum of outer products, {@code dW = weight * sum over rows of g a'}: where a
 * batch is smaller than the layer is wide, preconditioning through the batch, {@code G^-1 dW A^-1 =
 * weight (g G^-1)' (a A^-1)}, takes fewer operations than the two products with dW.
 *
 * @param g output gradients
 * @param a inputs, the bias coordinate included
 * @param weight scales the sum, for example 1/N for a mean loss
 */
public record OuterProduct(Samples g, Samples a, double weight) {}
