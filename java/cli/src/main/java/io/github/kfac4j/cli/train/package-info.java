/** The subcommand {@code train}: real networks on real data, one optimizer beside the other. */
package io.github.kfac4j.cli.train;
