package io.github.kfac4j.experiments.study.report;

import java.util.ArrayList;
import java.util.List;

/** Verdicts as tables. */
public final class VerdictTable {
  private VerdictTable() {}

  /** The header and a row for each. */
  public static List<List<String>> rows(List<Verdict> verdicts) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("claim", "verdict", "evidence (95 %)"));
    verdicts.forEach(v -> rows.add(List.of(v.claim(), v.ruling().toString(), v.evidence())));
    return rows;
  }

  /** For a README. */
  public static String markdown(List<Verdict> verdicts) {
    StringBuilder text = new StringBuilder();
    List<List<String>> rows = rows(verdicts);
    for (int i = 0; i < rows.size(); i++) {
      text.append("| ").append(String.join(" | ", rows.get(i))).append(" |\n");
      text.append(i == 0 ? "|---|---|---|\n" : "");
    }
    return text.toString();
  }
}
