/** The subcommand {@code info}: what this build and this machine can do. */
package io.github.kfac4j.cli.info;
