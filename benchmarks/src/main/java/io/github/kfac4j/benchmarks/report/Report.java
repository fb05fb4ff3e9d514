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
  private final Path folder;
  private final Map<String, String> reasons;
  private final StringBuilder page = new StringBuilder("# Benchmarks\n");

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
    page.append("\n## ").append(stem).append("\n\n").append(markdown.provenance());
    page.append(
        "\nColumns of peers: how many times as long as kfac4j they take, the median of alternated"
            + " pairs (least to most).\n\n");
    chart(InverseChart.of(results), stem + "-inverse.png");
    chart(RatioChart.of(results), stem + "-ratios.png");
    chart(StepChart.of(results), stem + "-step.png");
    page.append(markdown.ratios()).append(markdown.training()).append("\n");
    page.append(markdown.targets());
  }

  private void chart(Chart<?, ?> chart, String name) throws IOException {
    if (chart != null) {
      Style.write(chart, folder.resolve(name));
      page.append("![](").append(name).append(")\n\n");
    }
  }

  /** Writes the page; returns where. */
  public Path write() throws IOException {
    Path file = folder.resolve("report.md");
    Files.writeString(file, page.toString());
    return file;
  }
}
