package io.github.kfac4j.experiments.study.report;

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
public final class StudyPage {
  private StudyPage() {}

  /**
   * The page.
   *
   * @param facts about the setup, by name
   */
  public static String of(StudyReport report, Map<String, String> facts) {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("title", escape(report.title()));
    values.put("findings", paragraphs(report.findings()));
    values.put("table", rows(report.table()));
    values.put("method", paragraphs(report.method()));
    values.put("setup", setup(facts));
    values.put("script", resource("chart.js"));
    values.put(
        "pictures",
        report.pictures().stream().map(StudyPage::picture).collect(Collectors.joining("\n")));
    String page = resource("report.html");
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

  /** Curves are drawn by the page, and are a picture where it may not run its script. */
  private static String picture(Picture picture) {
    String image =
        "<img alt=\"%s\" src=\"data:image/png;base64,%s\">"
            .formatted(escape(picture.title()), Base64.getEncoder().encodeToString(picture.png()));
    if (picture.panels().isEmpty()) {
      return image;
    }
    String panels =
        picture.panels().stream()
            .map(
                panel ->
                    "<div class=\"chart\" data-panel=\"%s\"></div>"
                        .formatted(escape(PanelJson.of(panel)).replace("\"", "&quot;")))
            .collect(Collectors.joining());
    return "<figure><figcaption>%s</figcaption><div class=\"charts\">%s</div><noscript>%s</noscript></figure>"
        .formatted(escape(picture.title()), panels, image);
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

  private static String setup(Map<String, String> facts) {
    return facts.entrySet().stream()
        .filter(fact -> !fact.getValue().equals("null"))
        .map(
            fact ->
                "<tr><td>%s</td><td>%s</td></tr>\n"
                    .formatted(escape(fact.getKey()), escape(fact.getValue())))
        .collect(Collectors.joining());
  }

  private static String resource(String name) {
    try (InputStream in = StudyPage.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
