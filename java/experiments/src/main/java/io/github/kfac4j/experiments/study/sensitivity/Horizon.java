package io.github.kfac4j.experiments.study.sensitivity;

import io.github.kfac4j.experiments.study.trial.Evaluation;
import io.github.kfac4j.experiments.study.trial.Length;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;

/**
 * What a grid looks like after a length of training, the same for all batch sizes, by the last
 * evaluation up to there.
 *
 * @param length of the training
 * @param images training images
 */
record Horizon(Length length, int images) {
  /** The last evaluation; null if there was none, or the trial diverged. */
  Evaluation of(Result result) {
    long steps = length.steps(result.trial().batch(), images);
    return result.outcome().diverged() ? null : result.outcome().at(steps);
  }

  /** Whether a trial is as good as the goal then. */
  boolean good(Result result, Settings settings) {
    Evaluation last = of(result);
    return last != null && settings.reached(last);
  }

  /** The part of a grid that is. */
  double fraction(Region region, Settings settings) {
    long good = region.results().stream().filter(r -> good(r, settings)).count();
    return (double) good / region.results().size();
  }
}
