/** Training itself: networks, steps, measurements, checkpoints and the folder they are kept in. */
package io.github.kfac4j.experiments.train;
