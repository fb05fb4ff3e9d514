/**
 * The settings of K-FAC, all immutable: {@link io.github.kfac4j.options.KfacOptions} is where to
 * begin.
 */
package io.github.kfac4j.options;
