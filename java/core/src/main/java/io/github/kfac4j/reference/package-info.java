/** The pure-Java fp64 backend: the oracle, and what serves where nothing faster runs. */
package io.github.kfac4j.reference;
