/**
 * Robust inversion and decomposition of damped factors: Cholesky, eigenvalues, Newton-Schulz, and
 * what is tried when one of them fails. Results are outcomes, one for each matrix; nothing here
 * knows a layer. Not exported.
 */
package io.github.kfac4j.inversion;
