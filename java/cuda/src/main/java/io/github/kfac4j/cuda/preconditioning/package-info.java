/** Gradients times inverses, or through a Kronecker basis. */
package io.github.kfac4j.cuda.preconditioning;
