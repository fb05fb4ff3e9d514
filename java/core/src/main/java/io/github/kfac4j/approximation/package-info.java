/**
 * The approximations of Fisher blocks. Each is one file, an implementation of {@link
 * io.github.kfac4j.curvature.Curvature}; {@link io.github.kfac4j.approximation.Blocks} lists all of
 * them. Not exported.
 */
package io.github.kfac4j.approximation;
