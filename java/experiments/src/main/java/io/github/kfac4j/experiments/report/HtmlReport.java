package io.github.kfac4j.experiments.report;

import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.Hyperparameters;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.train.History;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** One page with everything in it: no script, no other file, no network. */
final class HtmlReport {
  private final List<Summary> summaries;
  private final RunOptions options;
  private final Dataset data;

  HtmlReport(List<Summary> summaries, RunOptions options, Dataset data) {
    this.summaries = summaries;
    this.options = options;
    this.data = data;
  }

  /** The page; {@code png} is the picture of the curves. */
  String page(byte[] png) {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("title", escape(options.workload().toString()));
    values.put("lead", escape(lead()));
    values.put("state", state());
    values.put("cards", summaries.stream().map(this::card).collect(Collectors.joining("\n")));
    values.put("results", results());
    values.put("times", times());
    values.put("time_note", escape(timeNote()));
    values.put("failures", failures());
    values.put("setup", setup());
    values.put("curves", Base64.getEncoder().encodeToString(png));
    String page = template();
    for (Map.Entry<String, String> value : values.entrySet()) {
      page = page.replace("{{" + value.getKey() + "}}", value.getValue());
    }
    return page;
  }

  private String lead() {
    return summaries.stream()
        .filter(s -> !Double.isNaN(s.validationLoss()))
        .map(s -> "%s: %s after %d steps".formatted(s.optimizer().title(), score(s), s.steps()))
        .collect(
            Collectors.joining(
                ", ", byAccuracy() ? "Validation accuracy – " : "Validation loss – ", "."));
  }

  private boolean byAccuracy() {
    ModelName model = options.workload().model();
    return model.classifies() && model.text().isEmpty();
  }

  /** The best result of a network: its accuracy, or of one without classes and of text its loss. */
  private String score(Summary s) {
    return byAccuracy()
        ? ResultTable.percent(s.validationAccuracy())
        : ResultTable.number("%.4g", s.validationLoss());
  }

  /** Empty for a complete run. */
  private String state() {
    boolean complete =
        summaries.size() == options.optimizers().size()
            && summaries.stream()
                .allMatch(
                    s ->
                        s.steps() == options.steps()
                            || s.atTarget().isPresent()
                            || s.failure() != null);
    return complete
        ? ""
        : "<p class=\"partial\">Interrupted: a partial result. Continue with <code>--resume</code>."
            + "</p>";
  }

  private String card(Summary s) {
    return """
    <div class="card" style="border-color:%s">
      <h3>%s</h3>
      <p class="big">%s</p>
      <p>training loss %s<br>%s</p>
    </div>\
    """
        .formatted(
            css(s.optimizer()),
            s.optimizer().title(),
            s.failure() != null ? "failed" : score(s),
            ResultTable.number("%.4f", s.trainLoss()),
            s.atTarget().isPresent()
                ? "%s after %d steps"
                    .formatted(ResultTable.target(options), s.atTarget().get().step())
                : "%d steps in %.0f s".formatted(s.steps(), s.seconds()));
  }

  private String results() {
    StringBuilder rows = new StringBuilder(row("th", ResultTable.header(options)));
    summaries.forEach(s -> rows.append(row("td", ResultTable.row(s, options))));
    return rows.toString();
  }

  private static String row(String tag, List<String> cells) {
    return cells.stream()
        .map(cell -> "<%s>%s</%s>".formatted(tag, escape(cell), tag))
        .collect(Collectors.joining("", "<tr>", "</tr>\n"));
  }

  private String times() {
    double longest = summaries.stream().mapToDouble(s -> s.times().total()).max().orElse(1);
    StringBuilder bars = new StringBuilder();
    for (Summary s : summaries) {
      History.Times t = s.times();
      bars.append(
          "<div class=\"label\">%s</div><div class=\"bar\">".formatted(s.optimizer().title()));
      part(bars, "forward", t.forward(), longest);
      part(bars, "backward", t.backward(), longest);
      part(bars, "update", t.update(), longest);
      part(bars, "kfac", t.kfac(), longest);
      bars.append("<span class=\"total\">%.0f ms</span></div>\n".formatted(1e3 * t.total()));
    }
    return bars.toString();
  }

  private static void part(StringBuilder bars, String kind, double seconds, double longest) {
    if (seconds > 0) {
      bars.append(
          "<span class=\"%s\" style=\"width:%.2f%%\" title=\"%s %.1f ms\"></span>"
              .formatted(kind, 85 * seconds / longest, kind, 1e3 * seconds));
    }
  }

  private String timeNote() {
    return summaries.stream()
        .filter(s -> s.times().kfac() > 0)
        .map(
            s -> {
              double plain = s.times().total() - s.times().kfac();
              return "%s adds %.1f ms to a step of %.1f ms: %.2f times the plain step."
                  .formatted(
                      s.optimizer().title(),
                      1e3 * s.times().kfac(),
                      1e3 * plain,
                      s.times().kfac() / plain);
            })
        .collect(Collectors.joining(" "));
  }

  private String failures() {
    return summaries.stream()
        .filter(s -> s.failure() != null)
        .map(
            s ->
                "<p class=\"partial\">%s – %s</p>"
                    .formatted(s.optimizer().title(), escape(s.failure())))
        .collect(Collectors.joining("\n"));
  }

  private String setup() {
    Map<String, Object> rows = new LinkedHashMap<>();
    rows.put("data", data.describe());
    rows.put("model", options.workload().model());
    rows.put("batch", options.batch() + " " + options.workload().model().unit());
    rows.put("steps per optimizer", options.steps());
    rows.put("seed", options.seed());
    Hyperparameters h = options.hyperparameters();
    rows.put("learning rates", h.learningRates());
    rows.put("learning rate schedule", h.learningRateSchedule());
    rows.put("momentum", h.momenta());
    rows.put("momentum schedule", h.momentumSchedule());
    rows.put("damping", h.dampings());
    rows.put("damping schedule", h.dampingSchedule());
    rows.put("weight decay", h.weightDecay() == null ? "none" : h.weightDecay());
    rows.put("K-FAC settings", h.kfac().given().isEmpty() ? "default" : h.kfac());
    rows.put("K-FAC backend", options.backend());
    rows.put("Java", System.getProperty("java.vm.name") + " " + System.getProperty("java.version"));
    rows.put(
        "machine",
        "%s, %d processors"
            .formatted(System.getProperty("os.arch"), Runtime.getRuntime().availableProcessors()));
    return rows.entrySet().stream()
        .map(e -> row("td", List.of(e.getKey(), String.valueOf(e.getValue()))))
        .collect(Collectors.joining());
  }

  private static String css(OptimizerName optimizer) {
    return "#%06x".formatted(OptimizerColors.of(optimizer).getRGB() & 0xffffff);
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static String template() {
    try (InputStream in = HtmlReport.class.getResourceAsStream("report.html")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
