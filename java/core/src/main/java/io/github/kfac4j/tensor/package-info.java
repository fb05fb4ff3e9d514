/** Arrays borrowed from a trainer: shape, data, and how they lie in memory. */
package io.github.kfac4j.tensor;
