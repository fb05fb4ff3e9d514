/** How the time of an iteration of layer-parallel K-FAC depends on the number of ranks. */
package io.github.kfac4j.experiments.study.scaling;
