/** The search of a study: which trials are trained, by which processes, and where they are kept. */
package io.github.kfac4j.experiments.study.search;
