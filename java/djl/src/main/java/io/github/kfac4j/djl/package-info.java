/**
 * K-FAC in training programs of the Deep Java Library, on its PyTorch engine. Start at {@link
 * io.github.kfac4j.djl.DjlKfac}.
 */
package io.github.kfac4j.djl;
