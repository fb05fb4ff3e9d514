package io.github.kfac4j.experiments.study.report;

import java.util.ArrayList;
import java.util.List;

/**
 * What a study found.
 *
 * @param findings sentences
 * @param pictures the first is the main one; none if there is nothing to show
 * @param table rows of cells, the header first
 * @param method how the numbers were made, in sentences
 * @param optimizers the results as a tree of maps and lists; what does not exist is null
 */
public record StudyReport(
    String title,
    List<String> findings,
    List<Picture> pictures,
    List<List<String>> table,
    List<String> method,
    Object optimizers) {

  /** With a note that trials are missing. */
  public StudyReport interrupted() {
    List<String> all = new ArrayList<>(findings);
    all.add(0, "Interrupted: a partial result. Repeat the command to continue.");
    return new StudyReport(title, all, pictures, table, method, optimizers);
  }
}
