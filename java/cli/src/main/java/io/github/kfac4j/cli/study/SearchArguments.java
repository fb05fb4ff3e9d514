package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.train.PerOptimizer;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.options.Hyperparameters;
import io.github.kfac4j.experiments.options.KfacKey;
import io.github.kfac4j.experiments.options.KfacText;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.study.trial.Metaparameter;
import io.github.kfac4j.experiments.study.trial.Range;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** The options for what is searched, and the remaining settings of K-FAC. */
final class SearchArguments {
  private final Map<Metaparameter, String> given = new EnumMap<>(Metaparameter.class);

  @Option(
      names = "--lr",
      paramLabel = "LOW:HIGH",
      description =
          "Learning rates to search, uniformly in the logarithm: for all optimizers, or"
              + " kfac=1e-3:0.1,heavy-ball=0.01:1 (default: from 1/10 of that of train to 30 times,"
              + " without momentum 10 times that). One number instead of two fixes it.")
  private void learningRate(String text) {
    given.put(Metaparameter.LEARNING_RATE, text);
  }

  @Option(
      names = "--momentum",
      paramLabel = "LOW:HIGH",
      description =
          "Momenta of heavy ball, K-FAC and its relatives likewise, in the logarithm of 1 - momentum"
              + " (default: 0:0.99; of sensitivity 0.9).")
  private void momentum(String text) {
    given.put(Metaparameter.MOMENTUM, text);
  }

  @Option(
      names = "--damping",
      paramLabel = "LOW:HIGH",
      description =
          "Dampings of K-FAC and its relatives likewise (default: from 1/10 of that of train to 10"
              + " times).")
  private void damping(String text) {
    given.put(Metaparameter.DAMPING, text);
  }

  @Option(
      names = "--kl-clip",
      paramLabel = "LOW:HIGH",
      description =
          "Bounds on the step of K-FAC and its relatives likewise (default: 1e-3:10; of sensitivity"
              + " that of train).")
  private void klClip(String text) {
    given.put(Metaparameter.KL_CLIP, text);
  }

  @Option(
      names = "--factor-decay",
      paramLabel = "LOW:HIGH",
      description =
          "Decays of the averages of their factors, in the logarithm of 1 - decay (default: 0.8:0.99;"
              + " of sensitivity that of train).")
  private void factorDecay(String text) {
    given.put(Metaparameter.FACTOR_DECAY, text);
  }

  @Option(
      names = "--beta1",
      paramLabel = "LOW:HIGH",
      description = "Adam's momentum likewise (default: 0:0.99; of sensitivity 0.9).")
  private void beta1(String text) {
    given.put(Metaparameter.BETA1, text);
  }

  @Option(
      names = "--beta2",
      paramLabel = "LOW:HIGH",
      description =
          "Decays of Adam's mean of squares likewise (default: 0.9:0.9999; of sensitivity 0.999).")
  private void beta2(String text) {
    given.put(Metaparameter.BETA2, text);
  }

  @Option(
      names = "--eps",
      paramLabel = "LOW:HIGH",
      description = "Adam's eps, in the logarithm (default: 1e-8:1e-2; of sensitivity 1e-8).")
  private void epsilon(String text) {
    given.put(Metaparameter.EPSILON, text);
  }

  @Option(
      names = "--ema",
      paramLabel = "LOW:HIGH",
      description =
          "Decays of the averages of weights that optimizers named NAME-ema evaluate, in the logarithm"
              + " of 1 - decay (default: 0.9:0.999; of sensitivity 0.99).")
  private void average(String text) {
    given.put(Metaparameter.AVERAGE, text);
  }

  @Option(
      names = "--gamma",
      paramLabel = "LOW:HIGH",
      description =
          "With --decay-length: the learning rate falls along a line to gamma times its first value,"
              + " then stays (default: it is constant).")
  private void finalRate(String text) {
    given.put(Metaparameter.FINAL_RATE, text);
  }

  @Option(
      names = "--decay-length",
      paramLabel = "LOW:HIGH",
      description = "How long that takes, as a part of the budget of a trial.")
  private void decayLength(String text) {
    given.put(Metaparameter.DECAY_LENGTH, text);
  }

  @Option(
      names = "--kfac",
      paramLabel = "SETTING=VALUE[,...]",
      hideParamSyntax = true,
      split = ",",
      description =
          "More settings of K-FAC, as train --help has them; what is set here is not searched."
              + " Default: those of train, but intervals=1:1, as steps are counted and not time.")
  private Map<String, String> kfac;

  /** The settings of K-FAC. */
  KfacText kfac(ModelName network) {
    KfacText usual = Hyperparameters.defaults(network).kfac();
    KfacText said = said();
    if (!said.has(KfacKey.STALE)) {
      usual = usual.with(KfacKey.INTERVALS, "1:1");
    }
    return usual.with(said);
  }

  private KfacText said() {
    return kfac == null ? KfacText.NONE : KfacText.of(kfac);
  }

  /** The search spaces; the extent says what is searched where the user says nothing. */
  Map<StudyOptimizer, SearchSpace> spaces(
      ModelName network, List<StudyOptimizer> optimizers, SearchSpace.Extent extent) {
    if (given.containsKey(Metaparameter.FINAL_RATE)
        != given.containsKey(Metaparameter.DECAY_LENGTH)) {
      throw new BadInputException("--gamma and --decay-length belong together: give both or none");
    }
    KfacText said = said();
    Map<StudyOptimizer, SearchSpace> spaces = new LinkedHashMap<>();
    for (StudyOptimizer optimizer : optimizers) {
      SearchSpace space = SearchSpace.defaults(optimizer, network, extent);
      if (said.has(KfacKey.KL_CLIP)) {
        space = space.without(Metaparameter.KL_CLIP);
      }
      if (said.has(KfacKey.DECAY)) {
        space = space.without(Metaparameter.FACTOR_DECAY);
      }
      spaces.put(optimizer, space);
    }
    given.forEach((metaparameter, text) -> replace(spaces, metaparameter, text));
    return spaces;
  }

  private static void replace(
      Map<StudyOptimizer, SearchSpace> spaces, Metaparameter metaparameter, String text) {
    List<StudyOptimizer> having =
        spaces.keySet().stream().filter(metaparameter::appliesTo).toList();
    PerOptimizer.parse(
            metaparameter.option(),
            text,
            having,
            name -> StudyOptimizer.of(metaparameter.option(), name),
            (option, part) -> Range.parse(metaparameter, part))
        .forEach(
            (optimizer, range) -> {
              if (!metaparameter.appliesTo(optimizer)) {
                throw new BadInputException(
                    "%s has no effect on %s".formatted(metaparameter.option(), optimizer));
              }
              spaces.computeIfPresent(optimizer, (key, space) -> space.with(range));
            });
  }
}
