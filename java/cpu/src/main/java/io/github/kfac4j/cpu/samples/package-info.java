/** Samples of every kind as matrices, a panel of rows at a time. */
package io.github.kfac4j.cpu.samples;
