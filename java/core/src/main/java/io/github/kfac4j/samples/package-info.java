/**
 * What a layer saw, as vectors: rows, channels or patches of tensors, without a copy. The layers
 * make them, the verbs of a backend read them.
 */
package io.github.kfac4j.samples;
