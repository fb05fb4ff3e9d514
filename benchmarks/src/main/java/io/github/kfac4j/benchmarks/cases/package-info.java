/** What is measured: the cases of {@code cases.json} and their inputs, the same in Python. */
package io.github.kfac4j.benchmarks.cases;
