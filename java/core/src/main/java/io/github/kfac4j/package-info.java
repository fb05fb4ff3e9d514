/**
 * K-FAC for any trainer: {@link io.github.kfac4j.Kfac} observes what layers saw, refreshes damped
 * inverses and preconditions gradients.
 */
package io.github.kfac4j;
