/** Arrays borrowed from a trainer: shape and data, contiguous and row-major. */
package io.github.kfac4j.tensor;
