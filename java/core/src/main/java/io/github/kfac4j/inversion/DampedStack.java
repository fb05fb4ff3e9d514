package io.github.kfac4j.inversion;

import io.github.kfac4j.backend.InvertRequest;
import java.util.function.Supplier;

/**
 * One stack of damped factors to be inverted.
 *
 * @param inversion of the factors divided by 2 to the exponent, which is mostly 0
 * @param old the good inverses that the new ones replace, as they are stored; null if there are
 *     none
 * @param moved whether those have another exponent, so that a stack holds old ones or new ones
 */
public record DampedStack(
    InvertRequest inversion, int exponent, Supplier<double[]> old, boolean moved) {}
