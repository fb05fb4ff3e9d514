/** Trials of a study: what is searched, how it is trained, and where it is kept. */
package io.github.kfac4j.experiments.study.trial;
