/** K-FAC in training programs of Deeplearning4j; see {@link io.github.kfac4j.dl4j.Dl4jKfac}. */
package io.github.kfac4j.dl4j;
