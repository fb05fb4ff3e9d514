package io.github.kfac4j.experiments.study.spectrum;

import io.github.kfac4j.experiments.curvature.CurvatureSnapshot;
import io.github.kfac4j.experiments.curvature.LayerCurvature;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * One direction of the Kronecker-factored eigenbasis.
 *
 * @param step after how many steps
 * @param layer its name
 * @param eigenvalue by K-FAC
 * @param curvature v'Fv
 * @param variance v'Cv of single gradients
 */
record Direction(long step, String layer, double eigenvalue, double curvature, double variance) {
  /** Directions that are kept of each snapshot, at equal distances by their curvature's rank. */
  private static final int MAX_DIRECTIONS = 1000;

  /** Those whose curvature is not zero, or as many as are kept. */
  static List<Direction> of(CurvatureSnapshot snapshot) {
    List<Direction> all = new ArrayList<>();
    for (LayerCurvature layer : snapshot.layers()) {
      for (int i = 0; i < layer.size(); i++) {
        if (layer.curvature()[i] > 0) {
          all.add(
              new Direction(
                  snapshot.step(),
                  layer.layer(),
                  layer.eigenvalue(i),
                  layer.curvature()[i],
                  layer.variance()[i]));
        }
      }
    }
    all.sort(Comparator.comparingDouble(Direction::curvature).reversed());
    int every = Math.max(1, (all.size() + MAX_DIRECTIONS - 1) / MAX_DIRECTIONS);
    List<Direction> kept = new ArrayList<>();
    for (int i = 0; i < all.size(); i += every) {
      kept.add(all.get(i));
    }
    return kept;
  }

  /** The slope of log variance over log curvature; 1 if they are proportional. */
  static double slope(List<Direction> directions) {
    return Slope.of(
        directions.stream()
            .filter(d -> d.curvature > 0 && d.variance > 0)
            .map(d -> new double[] {Math.log(d.curvature), Math.log(d.variance)})
            .toList());
  }

  /** Pearson's correlation of the logarithms. */
  static double correlation(List<Direction> directions) {
    List<double[]> points =
        directions.stream()
            .filter(d -> d.curvature > 0 && d.variance > 0)
            .map(d -> new double[] {Math.log(d.curvature), Math.log(d.variance)})
            .toList();
    double there = Slope.of(points);
    double back = Slope.of(points.stream().map(p -> new double[] {p[1], p[0]}).toList());
    return Math.signum(there) * Math.sqrt(there * back);
  }
}
