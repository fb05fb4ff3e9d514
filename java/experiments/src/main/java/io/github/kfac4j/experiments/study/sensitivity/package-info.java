/** The subcommand {@code study sensitivity}: which metaparameters reach a goal. */
package io.github.kfac4j.experiments.study.sensitivity;
