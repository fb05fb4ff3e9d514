package io.github.kfac4j.curvature;

/**
 * Elements of a stack as they were stored.
 *
 * @param values what is to be multiplied by 2 to the exponent
 * @param isDouble whether they were stored in fp64
 */
public record StoredElements(double[] values, int exponent, boolean isDouble) {}
