package io.github.kfac4j.cli.study.trial;

import io.github.kfac4j.cli.JsonOption;
import io.github.kfac4j.cli.TextTable;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;

/** The report of a study, as a page and on stdout. */
public record StudyOutput(CommandLine command, boolean json) {
  /** Where progress goes. */
  public PrintWriter log() {
    return command.getErr();
  }

  /**
   * Writes {@code report.html} and prints the table, or the tree as JSON.
   *
   * @param findings sentences
   * @param png the picture; null if there is nothing to show
   * @param table rows of cells, the header first
   * @param method how the numbers were made, in sentences
   * @param optimizers the tree
   */
  public void write(
      Study study,
      String title,
      List<String> findings,
      byte[] png,
      List<List<String>> table,
      List<String> method,
      Object optimizers)
      throws IOException {
    StudyFolder folder = study.folder();
    List<String> all = new ArrayList<>(findings);
    if (!study.complete()) {
      all.add(0, "Interrupted: a partial result. Repeat the command to continue.");
    }
    folder.write("report.html", StudyPage.of(title, all, png, table, method, study));
    PrintWriter out = command.getOut();
    if (json) {
      Map<String, Object> root = new LinkedHashMap<>();
      root.put("title", title);
      root.put("data", study.data().describe());
      root.put("complete", study.complete());
      root.put("settings", study.settings().facts());
      root.put("optimizers", optimizers);
      root.put("findings", all);
      root.put("out", folder.path().toString());
      JsonOption.print(root, out);
      return;
    }
    TextTable text = new TextTable(table.get(0).toArray(String[]::new));
    table.subList(1, table.size()).forEach(row -> text.row(row.toArray()));
    out.print(text);
    all.forEach(out::println);
    out.println("report: " + folder.path().resolve("report.html"));
    out.flush();
  }
}
