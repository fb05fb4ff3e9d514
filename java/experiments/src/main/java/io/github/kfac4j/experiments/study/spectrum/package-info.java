/** The study of spectra: the curvature that K-FAC measures in training. */
package io.github.kfac4j.experiments.study.spectrum;
