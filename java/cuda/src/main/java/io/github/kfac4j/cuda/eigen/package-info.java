/** Eigendecompositions, and whether they may be trusted. */
package io.github.kfac4j.cuda.eigen;
