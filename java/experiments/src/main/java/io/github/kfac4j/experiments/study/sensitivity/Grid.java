package io.github.kfac4j.experiments.study.sensitivity;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.study.trial.Digits;
import io.github.kfac4j.experiments.study.trial.Range;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import io.github.kfac4j.experiments.train.OptimizerName;
import java.util.ArrayList;
import java.util.List;

/**
 * The points of a search space on a grid, equally spaced on the scale of each range, ends included.
 *
 * @param x the range across; null if nothing is searched
 * @param y the range upwards; null if there is none
 * @param points along each range
 */
record Grid(Range x, Range y, int points) {

  /**
   * The grid of a search space.
   *
   * @throws BadInputException if more than two ranges are searched
   */
  static Grid of(OptimizerName optimizer, SearchSpace space, int points) {
    List<Range> searched = space.searched();
    if (searched.size() > 2) {
      throw new BadInputException(
          "a grid of %s has at most two dimensions, but %s are searched: fix one, as in --momentum 0.9"
              .formatted(
                  optimizer, searched.stream().map(r -> r.metaparameter().option()).toList()));
    }
    return new Grid(
        searched.isEmpty() ? null : searched.get(0),
        searched.size() < 2 ? null : searched.get(1),
        points);
  }

  int columns() {
    return x == null ? 1 : points;
  }

  int rows() {
    return y == null ? 1 : points;
  }

  /** Coordinates in [0, 1], row by row from the lowest. */
  List<double[]> coordinates() {
    List<double[]> all = new ArrayList<>();
    for (int row = 0; row < rows(); row++) {
      for (int column = 0; column < columns(); column++) {
        all.add(
            y != null
                ? new double[] {part(column), part(row)}
                : x != null ? new double[] {part(column)} : new double[0]);
      }
    }
    return all;
  }

  private double part(int index) {
    return (double) index / (points - 1);
  }

  /** The values along a range. */
  List<String> ticks(Range range) {
    List<String> ticks = new ArrayList<>();
    for (int i = 0; range != null && i < points; i++) {
      ticks.add(Digits.significant(range.at(part(i)), 2));
    }
    return ticks;
  }
}
