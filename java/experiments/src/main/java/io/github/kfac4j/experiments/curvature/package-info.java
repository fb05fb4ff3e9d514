/** The curvature of a network, measured while K-FAC trains it. */
package io.github.kfac4j.experiments.curvature;
