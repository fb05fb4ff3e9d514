/** How the time of an iteration of layer-parallel K-FAC depends on the number of ranks. */
package io.github.kfac4j.cli.study.scaling;
