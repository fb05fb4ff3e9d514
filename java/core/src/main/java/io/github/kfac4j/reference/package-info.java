/**
 * The pure-Java fp64 backend: the reference, what serves where nothing faster runs, and, as {@link
 * io.github.kfac4j.reference.FallbackBackend}, what does the verbs that another backend lacks.
 */
package io.github.kfac4j.reference;
