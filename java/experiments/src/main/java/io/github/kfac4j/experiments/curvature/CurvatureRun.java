package io.github.kfac4j.experiments.curvature;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.network.Network;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.train.History;
import io.github.kfac4j.experiments.train.Team;
import io.github.kfac4j.experiments.train.Training;
import io.github.kfac4j.experiments.train.TrainingFailedException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;

/** Trains with K-FAC and measures the curvature on the way. */
public final class CurvatureRun {
  private CurvatureRun() {}

  /**
   * Checks that the Fisher of a network can be measured.
   *
   * @throws BadInputException if it does not tell classes of images apart
   */
  public static void requireMeasurable(ModelName model) {
    if (!model.classifies() || model.text().isPresent()) {
      throw new BadInputException(
          "--model %s: the Fisher is measured over the classes of images, which it does not have"
              .formatted(model));
    }
  }

  /**
   * Runs to the last of the steps.
   *
   * @param options of one optimizer with a Fisher
   * @param at steps after which to measure
   * @param examples training images to look at
   * @param onStep is told after every step
   * @throws BadInputException if training fails with these options, or the network has no classes
   */
  public static List<CurvatureSnapshot> train(
      RunOptions options,
      Collection<Long> at,
      int examples,
      Dataset data,
      Backend backend,
      Consumer<History> onStep) {
    requireMeasurable(options.workload().model());
    OptimizerName optimizer = options.optimizers().get(0);
    List<CurvatureSnapshot> snapshots = new ArrayList<>();
    try (Training training = new Training(optimizer, options, data, backend, Team.ALONE);
        Network probe = training.untrained()) {
      while (training.history().stepCount() < options.steps()) {
        History.Step step = training.step();
        training
            .history()
            .failure()
            .ifPresent(
                reason -> {
                  throw new BadInputException(reason);
                });
        onStep.accept(training.history());
        if (at.contains(step.step())) {
          training.copyWeights(probe);
          Kfac kfac = training.kfac();
          List<String> layers = CurvatureProbe.layers(kfac.state(), training.preconditioned());
          CurvatureProbe measured = new CurvatureProbe(probe, kfac.state(), layers, data, backend);
          snapshots.add(
              new CurvatureSnapshot(step.step(), step.loss(), measured.measure(examples)));
        }
      }
    } catch (TrainingFailedException e) {
      throw new BadInputException(e.getMessage(), e);
    }
    return snapshots;
  }
}
