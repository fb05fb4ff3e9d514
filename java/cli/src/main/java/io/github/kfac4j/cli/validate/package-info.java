/** The subcommand {@code validate}: backends against the fp64 oracle. */
package io.github.kfac4j.cli.validate;
