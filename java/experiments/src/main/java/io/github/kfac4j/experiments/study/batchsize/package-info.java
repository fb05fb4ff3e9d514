/** The subcommand {@code study batch-size}: steps to a goal against the batch size. */
package io.github.kfac4j.experiments.study.batchsize;
