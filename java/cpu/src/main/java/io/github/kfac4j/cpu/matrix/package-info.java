/** Row-major matrices and their products, in fp32 and fp64. */
package io.github.kfac4j.cpu.matrix;
