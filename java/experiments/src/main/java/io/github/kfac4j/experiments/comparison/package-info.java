/** Optimizers compared on one network, from the options of a run to its report. */
package io.github.kfac4j.experiments.comparison;
