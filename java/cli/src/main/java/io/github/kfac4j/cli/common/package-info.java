/** What the subcommands share: options, exit codes, tables. */
package io.github.kfac4j.cli.common;
