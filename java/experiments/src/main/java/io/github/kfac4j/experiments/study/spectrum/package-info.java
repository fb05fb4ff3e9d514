/** The subcommand {@code study spectrum}: the curvature that K-FAC measures in training. */
package io.github.kfac4j.experiments.study.spectrum;
