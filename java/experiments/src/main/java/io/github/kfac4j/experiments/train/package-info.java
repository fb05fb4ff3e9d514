/** Training with one optimizer: steps, measurements, checkpoints, and the processes of a team. */
package io.github.kfac4j.experiments.train;
