/** Plots with logarithmic axes, as figures and studies draw them. */
package io.github.kfac4j.experiments.plot;
