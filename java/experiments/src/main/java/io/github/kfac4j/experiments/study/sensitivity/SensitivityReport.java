package io.github.kfac4j.experiments.study.sensitivity;

import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The results in words, as rows and as a tree. */
record SensitivityReport(List<Region> regions, List<Horizon> horizons, Settings settings) {
  static final List<String> METHOD =
      List.of(
          "A trial for every point of a grid, equally spaced in the logarithms. A cell shows the steps"
              + " to the first evaluation at the goal; bright cells need as many as the best of their"
              + " map, each darker shade up to twice as many; grey ones did not reach the goal within"
              + " the budget. The percentage is the part of the grid that did.",
          "After a length of training: the last evaluation up to there, of the same trials, which run"
              + " to the end of their budget; the brightest cells are as good as the goal.",
          "Coupling: the correlation of log lr and log damping over the points that reached the goal.");

  /** One sentence for each optimizer. */
  List<String> findings() {
    List<String> findings = new ArrayList<>();
    byOptimizer()
        .forEach(
            (optimizer, part) ->
                findings.add(
                    "%s: %s of the grid reach %s within %s."
                        .formatted(
                            optimizer.title(),
                            part.stream()
                                .map(
                                    r ->
                                        "%.0f %% at batch %d"
                                            .formatted(100 * r.fraction(), r.batch()))
                                .collect(Collectors.joining(", ")),
                            settings.goalInWords(),
                            settings.budget().describe())));
    for (Horizon horizon : horizons) {
      byOptimizer()
          .forEach(
              (optimizer, part) ->
                  findings.add(
                      "%s: after %s %s of the grid are as good as the goal."
                          .formatted(
                              optimizer.title(),
                              horizon.length().describe(),
                              part.stream()
                                  .map(
                                      r ->
                                          "%.0f %% at batch %d"
                                              .formatted(
                                                  100 * horizon.fraction(r, settings), r.batch()))
                                  .collect(Collectors.joining(", ")))));
    }
    return findings;
  }

  private Map<StudyOptimizer, List<Region>> byOptimizer() {
    return regions.stream()
        .collect(Collectors.groupingBy(Region::optimizer, LinkedHashMap::new, Collectors.toList()));
  }

  /** The header and a row for each optimizer and batch size. */
  List<List<String>> table() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "optimizer",
            "batch",
            "points",
            "reached",
            "fraction",
            "diverged",
            "fewest steps",
            "coupling"));
    for (Region region : regions) {
      rows.add(
          List.of(
              region.optimizer().title(),
              Integer.toString(region.batch()),
              Integer.toString(region.results().size()),
              Integer.toString(region.reached().size()),
              "%.2f".formatted(region.fraction()),
              Long.toString(region.diverged()),
              region.fewestSteps() == null ? "–" : region.fewestSteps().toString(),
              region.coupling() == null ? "–" : "%.2f".formatted(region.coupling())));
    }
    return rows;
  }

  /** For {@code --json}; what does not exist is null. */
  List<Map<String, Object>> tree() {
    List<Map<String, Object>> optimizers = new ArrayList<>();
    byOptimizer()
        .forEach(
            (optimizer, part) -> {
              Map<String, Object> node = new LinkedHashMap<>();
              node.put("name", optimizer.toString());
              node.put("batches", part.stream().map(this::tree).toList());
              optimizers.add(node);
            });
    return optimizers;
  }

  private Map<String, Object> tree(Region region) {
    Map<String, Object> node = new LinkedHashMap<>();
    node.put("batch", region.batch());
    node.put("points", region.results().size());
    node.put("reached", region.reached().size());
    node.put("fraction", region.fraction());
    horizons.forEach(h -> node.put("fraction_after_" + h.length(), h.fraction(region, settings)));
    node.put("diverged", region.diverged());
    node.put("fewest_steps", region.fewestSteps());
    node.put("coupling", region.coupling());
    return node;
  }
}
