/** Layers as data: shapes, and which vectors their factors are made of. */
package io.github.kfac4j.layer;
