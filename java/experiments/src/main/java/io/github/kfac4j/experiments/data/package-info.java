/** Image data sets: where they are found, how they are read, and in which order they are used. */
package io.github.kfac4j.experiments.data;
