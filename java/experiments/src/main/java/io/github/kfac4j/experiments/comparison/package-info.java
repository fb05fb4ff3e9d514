/** Optimizers compared on one network: one after the other, in a folder that can be continued. */
package io.github.kfac4j.experiments.comparison;
