/** The command {@code kfac}: its entry point and what all subcommands share. */
package io.github.kfac4j.cli;
