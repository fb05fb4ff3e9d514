/** The commands of {@code benchmarks.jar}. */
package io.github.kfac4j.benchmarks.command;
