/** What a training run leaves behind: table, CSV, plots and a page. */
package io.github.kfac4j.experiments.report;
