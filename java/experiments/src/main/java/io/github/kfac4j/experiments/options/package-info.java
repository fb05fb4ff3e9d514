/** What determines a training run: networks, optimizers and their settings, as they are written. */
package io.github.kfac4j.experiments.options;
