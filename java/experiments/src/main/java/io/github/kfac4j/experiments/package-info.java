/** Experiments with K-FAC: what data sets, training runs, studies and figures share. */
package io.github.kfac4j.experiments;
