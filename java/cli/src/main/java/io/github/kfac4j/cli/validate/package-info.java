/** The subcommand {@code validate}: backends against the fp64 reference. */
package io.github.kfac4j.cli.validate;
