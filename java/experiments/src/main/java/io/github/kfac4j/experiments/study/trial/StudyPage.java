package io.github.kfac4j.experiments.study.trial;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The report of a study: one page with everything in it. */
final class StudyPage {
  private StudyPage() {}

  /** The page. */
  static String of(StudyReport report, Study study) {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("title", escape(report.title()));
    values.put("findings", paragraphs(report.findings()));
    values.put("picture", report.png() == null ? "" : picture(report));
    values.put("table", rows(report.table()));
    values.put("method", paragraphs(report.method()));
    values.put("setup", setup(study));
    String page = template();
    for (Map.Entry<String, String> value : values.entrySet()) {
      page = page.replace("{{" + value.getKey() + "}}", value.getValue());
    }
    return page;
  }

  private static String paragraphs(List<String> sentences) {
    return sentences.stream()
        .map(sentence -> "<p>%s</p>".formatted(escape(sentence)))
        .collect(Collectors.joining("\n"));
  }

  private static String picture(StudyReport report) {
    return "<img alt=\"%s\" src=\"data:image/png;base64,%s\">"
        .formatted(escape(report.title()), Base64.getEncoder().encodeToString(report.png()));
  }

  private static String rows(List<List<String>> table) {
    StringBuilder rows = new StringBuilder();
    for (List<String> row : table) {
      String tag = rows.isEmpty() ? "th" : "td";
      rows.append("<tr>");
      row.forEach(cell -> rows.append("<%s>%s</%s>".formatted(tag, escape(cell), tag)));
      rows.append("</tr>\n");
    }
    return rows.toString();
  }

  private static String setup(Study study) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("data", study.data().describe());
    facts.putAll(study.settings().facts());
    facts.values().removeIf(value -> value.equals("null"));
    return facts.entrySet().stream()
        .map(
            fact ->
                "<tr><td>%s</td><td>%s</td></tr>\n"
                    .formatted(escape(fact.getKey()), escape(fact.getValue())))
        .collect(Collectors.joining());
  }

  private static String template() {
    try (InputStream in = StudyPage.class.getResourceAsStream("report.html")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
