/** The subcommand {@code nqm}: the noisy quadratic model from the command line. */
package io.github.kfac4j.cli.nqm;
