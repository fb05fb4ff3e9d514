/** Passes over tensors, one element after another. */
package io.github.kfac4j.cuda.elementwise;
