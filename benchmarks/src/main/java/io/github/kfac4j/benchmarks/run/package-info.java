/** Who is measured, how, and the file it ends in. */
package io.github.kfac4j.benchmarks.run;
