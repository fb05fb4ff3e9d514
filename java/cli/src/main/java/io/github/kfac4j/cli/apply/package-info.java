/** The subcommand {@code apply}: K-FAC on tensors from any framework. */
package io.github.kfac4j.cli.apply;
