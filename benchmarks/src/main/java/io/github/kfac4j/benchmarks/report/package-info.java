/** Tables and charts of results. */
package io.github.kfac4j.benchmarks.report;
