/** The report of a study: findings, verdicts on claims, pictures, and the page of all. */
package io.github.kfac4j.experiments.study.report;
