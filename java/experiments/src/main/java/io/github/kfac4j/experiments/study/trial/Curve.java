package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.train.History;
import java.util.ArrayList;
import java.util.List;

/** Validation during a trial. */
public final class Curve {
  /** Evaluations that are kept, so that the memory of a study is bounded. */
  static final int MOST = 64;

  private Curve() {}

  /**
   * One evaluation; what is not finite or has no meaning is null.
   *
   * @param step steps before
   * @param loss mean
   * @param accuracy fraction classified correctly
   */
  public record Point(long step, Double loss, Double accuracy) {}

  /** All evaluations, or as many as are kept at equal distances, the last one among them. */
  static List<Point> of(History history) {
    List<History.Validation> all = history.validations();
    int every = Math.max(1, (all.size() + MOST - 1) / MOST);
    List<Point> points = new ArrayList<>();
    for (int i = Math.max(0, all.size() - 1) % every; i < all.size(); i += every) {
      History.Validation v = all.get(i);
      points.add(new Point(v.step(), Outcome.finite(v.loss()), Outcome.finite(v.accuracy())));
    }
    return points;
  }
}
