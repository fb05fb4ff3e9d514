package io.github.kfac4j.benchmarks.report;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.kfac4j.benchmarks.run.Results;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.knowm.xchart.internal.chartpart.Chart;

/** A page of tables and charts, one section for each file of results. */
public final class Report {
  private static final String COLUMNS =
      "Columns of peers: how many times as long as kfac4j they take, the median of alternated"
          + " pairs";

  /** Stands in the excerpt for the folder of the charts, until it is known where it goes. */
  private static final String CHARTS = "\0charts\0";

  private final Path folder;
  private final Map<String, String> reasons;
  private final StringBuilder page = new StringBuilder("# Benchmarks\n");
  private final StringBuilder excerpt = new StringBuilder();

  /** A page to be written into a folder. */
  public Report(Path folder, Map<String, String> reasons) {
    this.folder = folder;
    this.reasons = reasons;
  }

  /** Why targets are missed, from a file of JSON; none if there is no such file. */
  public static Map<String, String> reasons(Path file) throws IOException {
    return Files.exists(file)
        ? new ObjectMapper().readValue(file.toFile(), new TypeReference<>() {})
        : Map.of();
  }

  /** Adds a file: its charts are written beside the page. */
  public void add(Path file) throws IOException {
    Results results = Results.read(file);
    Files.createDirectories(folder);
    String stem = file.getFileName().toString().replaceFirst("\\.json$", "");
    Markdown markdown = new Markdown(results, reasons);
    page.append("\n## ").append(stem).append("\n\n");
    page.append(markdown.machine()).append(markdown.versions()).append("\n\n");
    excerpt.append(markdown.machine()).append(markdown.versions()).append("\n\n");
    Commands commands = new Commands(results.command(), file, folder);
    chart(InverseChart.of(results), stem + "-inverse.png", commands.of("inverse"));
    chart(StepChart.of(results), stem + "-step.png", commands.of("step"));
    chart(RatioChart.of(results), stem + "-ratios.png", commands.all());
    page.append(COLUMNS).append(" (least to most).\n\n").append(markdown.ratios(true));
    excerpt.append(COLUMNS).append(".\n\n").append(markdown.ratios(false));
    page.append(markdown.training()).append("\n").append(markdown.targets());
    page.append(markdown.missing());
    excerpt.append(markdown.training()).append(markdown.missing()).append("\n");
    excerpt.append(commands.all());
  }

  private void chart(Chart<?, ?> chart, String name, String command) throws IOException {
    if (chart != null) {
      Style.write(chart, folder.resolve(name));
      String alternative = "![" + chart.getTitle() + "](";
      page.append(alternative).append(name).append(")\n\n").append(command).append("\n");
      excerpt.append(alternative).append(CHARTS).append(name).append(")\n\n");
      excerpt.append(command).append("\n");
    }
  }

  /** Writes the page; returns where. */
  public Path write() throws IOException {
    Path file = folder.resolve("report.md");
    Files.writeString(file, page.toString());
    return file;
  }

  /**
   * Replaces what a README has between the lines {@code <!-- benchmarks -->} and {@code <!-- end of
   * benchmarks -->}.
   *
   * @throws IOException if it has no such lines
   */
  public void embed(Path readme) throws IOException {
    String begin = "<!-- benchmarks -->\n";
    String end = "<!-- end of benchmarks -->\n";
    String text = Files.readString(readme);
    int from = text.indexOf(begin) + begin.length();
    int to = text.indexOf(end);
    if (from < begin.length() || to < from) {
      throw new IOException(readme + ": there are no lines " + begin.strip() + ", " + end.strip());
    }
    Path here = readme.toAbsolutePath().normalize().getParent();
    String charts = here.relativize(folder.toAbsolutePath().normalize()) + "/";
    String body = excerpt.toString().replace(CHARTS, charts);
    Files.writeString(readme, text.substring(0, from) + "\n" + body + "\n" + text.substring(to));
  }
}
