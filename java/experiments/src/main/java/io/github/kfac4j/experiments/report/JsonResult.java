package io.github.kfac4j.experiments.report;

import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.train.History;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The result of {@code train --json}. */
public final class JsonResult {
  private JsonResult() {}

  /** A tree of maps and lists; a number that does not exist is null. */
  public static Map<String, Object> of(
      List<Summary> summaries, RunOptions options, Dataset data, RunFolder folder) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("data", options.workload().data().toString());
    root.put("data_source", data.source());
    root.put("data_split", data.split());
    root.put("train_" + data.train().unit(), data.train().count());
    root.put("validation_" + data.train().unit(), data.validation().count());
    root.put("model", options.workload().model().toString());
    root.put("batch", options.batch());
    root.put("seed", options.seed());
    root.put("steps", options.steps());
    root.put("target", options.goal().accuracy());
    root.put("target_loss", options.goal().loss());
    root.put("damping", options.hyperparameters().dampings().get(OptimizerName.KFAC));
    root.put("backend", options.backend());
    root.put("optimizers", summaries.stream().map(s -> of(s, options)).toList());
    root.put("out", folder.path().toString());
    root.put("files", List.of("metrics.csv", "curves.png", "report.html", "run.json"));
    return root;
  }

  private static Map<String, Object> of(Summary s, RunOptions options) {
    Map<String, Object> node = new LinkedHashMap<>();
    node.put("name", s.optimizer().toString());
    node.put("learning_rate", s.learningRate());
    node.put("damping", options.hyperparameters().dampings().get(s.optimizer()));
    node.put("steps", s.steps());
    node.put("seconds", s.seconds());
    node.put("failure", s.failure());
    node.put("train_loss", finite(s.trainLoss()));
    node.put("train_accuracy", finite(s.trainAccuracy()));
    node.put("validation_loss", finite(s.validationLoss()));
    if (options.workload().model().text().isPresent()) {
      node.put("validation_perplexity", finite(s.perplexity()));
    }
    node.put("validation_accuracy", finite(s.validationAccuracy()));
    node.put("best_validation_accuracy", finite(s.bestAccuracy()));
    node.put("steps_to_target", s.atTarget().map(History.Validation::step).orElse(null));
    node.put("seconds_to_target", s.atTarget().map(History.Validation::seconds).orElse(null));
    Map<String, Object> times = new LinkedHashMap<>();
    times.put("forward", milliseconds(s.times().forward()));
    times.put("backward", milliseconds(s.times().backward()));
    times.put("update", milliseconds(s.times().update()));
    times.put("kfac_mean", milliseconds(s.times().kfac()));
    node.put("step_milliseconds", times);
    return node;
  }

  private static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }

  private static Double milliseconds(double seconds) {
    return finite(1e3 * seconds);
  }
}
