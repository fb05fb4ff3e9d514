/** Second moments of samples, plain and in a Kronecker basis. */
package io.github.kfac4j.cuda.accumulation;
