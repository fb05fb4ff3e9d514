package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.train.PerOptimizer;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.study.trial.Metaparameter;
import io.github.kfac4j.experiments.study.trial.Range;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import io.github.kfac4j.experiments.train.ModelName;
import io.github.kfac4j.experiments.train.OptimizerName;
import io.github.kfac4j.experiments.train.RunOptions;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/** The options for what is searched, and the remaining settings of K-FAC. */
final class SearchArguments {
  @Option(
      names = "--lr",
      paramLabel = "LOW:HIGH",
      description =
          "Learning rates to search, uniformly in the logarithm: for all optimizers, or"
              + " kfac=1e-3:0.1,sgd=0.01:1 (default: from 1/10 of that of train to 30 times). One"
              + " number instead of two fixes it.")
  private String learningRate;

  @Option(
      names = "--momentum",
      paramLabel = "LOW:HIGH",
      description =
          "Momenta likewise, in the logarithm of 1 - momentum (default: 0:0.99; of sensitivity"
              + " 0.9); Adam's are fixed.")
  private String momentum;

  @Option(
      names = "--damping",
      paramLabel = "LOW:HIGH",
      description =
          "Dampings of K-FAC and its relatives likewise (default: from 1/10 of that of train to 10"
              + " times).")
  private String damping;

  @Option(
      names = "--kfac",
      paramLabel = "SETTING=VALUE[,...]",
      hideParamSyntax = true,
      split = ",",
      description =
          "More settings of K-FAC, as train --help has them. Default: those of train, but"
              + " intervals=1:1, as steps are counted and not time.")
  private Map<String, String> kfac;

  /** The settings of K-FAC by name. */
  Map<String, String> kfac(ModelName network) {
    Map<String, String> settings =
        new TreeMap<>(RunOptions.defaults(network).hyperparameters().kfac());
    settings.put("intervals", "1:1");
    if (kfac != null) {
      if (kfac.containsKey("stale")) {
        settings.remove("intervals");
      }
      settings.putAll(kfac);
    }
    return settings;
  }

  /** The search spaces, with this range of momenta where the user gives none. */
  Map<OptimizerName, SearchSpace> spaces(ModelName network, String usualMomentum) {
    Map<OptimizerName, SearchSpace> spaces = new LinkedHashMap<>();
    for (OptimizerName optimizer : OptimizerName.values()) {
      spaces.put(optimizer, SearchSpace.defaults(optimizer, network, usualMomentum));
    }
    replace(spaces, Metaparameter.LEARNING_RATE, learningRate);
    replace(spaces, Metaparameter.MOMENTUM, momentum);
    replace(spaces, Metaparameter.DAMPING, damping);
    return spaces;
  }

  private static void replace(
      Map<OptimizerName, SearchSpace> spaces, Metaparameter metaparameter, String text) {
    if (text == null) {
      return;
    }
    List<OptimizerName> having =
        spaces.keySet().stream()
            .filter(name -> spaces.get(name).ranges().containsKey(metaparameter))
            .toList();
    PerOptimizer.parse(
            metaparameter.option(),
            text,
            having,
            (option, part) -> Range.parse(metaparameter, part))
        .forEach(
            (optimizer, range) -> {
              if (!having.contains(optimizer)) {
                throw new BadInputException(
                    "%s has no effect on %s".formatted(metaparameter.option(), optimizer));
              }
              Map<Metaparameter, Range> ranges = new EnumMap<>(spaces.get(optimizer).ranges());
              ranges.put(metaparameter, range);
              spaces.put(optimizer, new SearchSpace(ranges));
            });
  }
}
