/** The subcommand {@code validate}: backends against the fp64 backend. */
package io.github.kfac4j.cli.validate;
