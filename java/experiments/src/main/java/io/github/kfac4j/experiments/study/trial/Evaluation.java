package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.train.History;
import java.util.ArrayList;
import java.util.List;

/**
 * Validation during a trial; what is not finite or has no meaning is null.
 *
 * @param step steps before
 * @param loss mean
 * @param accuracy fraction classified correctly
 */
public record Evaluation(long step, Double loss, Double accuracy) {
  /** How many are kept of a trial, so that the memory of a study is bounded. */
  static final int MAX_EVALUATIONS = 64;

  /** All evaluations, or as many as are kept at equal distances, the last one among them. */
  static List<Evaluation> of(History history) {
    List<History.Validation> all = history.validations();
    int every = Math.max(1, (all.size() + MAX_EVALUATIONS - 1) / MAX_EVALUATIONS);
    List<Evaluation> kept = new ArrayList<>();
    for (int i = Math.max(0, all.size() - 1) % every; i < all.size(); i += every) {
      History.Validation v = all.get(i);
      kept.add(
          new Evaluation(
              v.step(), TrialOutcome.finite(v.loss()), TrialOutcome.finite(v.accuracy())));
    }
    return kept;
  }
}
