/** The subcommand {@code study}: what the papers report, measured or predicted here. */
package io.github.kfac4j.cli.study;
