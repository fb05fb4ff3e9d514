/** One trial of a study: what is searched, what all trials share, and what came of it. */
package io.github.kfac4j.experiments.study.trial;
