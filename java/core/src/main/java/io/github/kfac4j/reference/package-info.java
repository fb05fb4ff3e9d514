/** The pure-Java fp64 backend: the reference, and what serves where nothing faster runs. */
package io.github.kfac4j.reference;
