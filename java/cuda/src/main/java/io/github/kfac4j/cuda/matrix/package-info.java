/** Products and traces of matrices on the device, in fp64. */
package io.github.kfac4j.cuda.matrix;
