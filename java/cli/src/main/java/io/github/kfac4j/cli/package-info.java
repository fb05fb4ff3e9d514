/** The command {@code kfac}: its entry point. */
package io.github.kfac4j.cli;
