/** The backends of this library as contenders. */
package io.github.kfac4j.benchmarks.own;
