/** Networks of the Deep Java Library, what they are trained for, and their gradients. */
package io.github.kfac4j.experiments.network;
