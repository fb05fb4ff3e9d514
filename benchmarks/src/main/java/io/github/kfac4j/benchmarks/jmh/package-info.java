/** JMH benchmarks, one class a verb. {@code -p contender=...} takes peers too. */
package io.github.kfac4j.benchmarks.jmh;
