package io.github.kfac4j.experiments.study.sensitivity;

import io.github.kfac4j.experiments.plot.HeatMap;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Png;
import io.github.kfac4j.experiments.study.trial.Evaluation;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The grids after a length of training (Ma et al., 2019): validation accuracy in percent, or loss
 * of networks without classes. Cells as good as the goal are bright, those at half of it dark.
 */
final class HorizonMap {
  private HorizonMap() {}

  /** A PNG file. */
  static byte[] png(
      List<Region> regions, Map<StudyOptimizer, Grid> grids, Horizon horizon, Settings settings) {
    Map<StudyOptimizer, List<HeatMap>> rows = new LinkedHashMap<>();
    for (Region region : regions) {
      rows.computeIfAbsent(region.optimizer(), key -> new ArrayList<>())
          .add(
              RegionMap.map(
                  region,
                  grids.get(region.optimizer()),
                  horizon.fraction(region, settings),
                  result -> cell(result, horizon, settings)));
    }
    return Png.of(HeatMap.image(List.copyOf(rows.values())));
  }

  private static HeatMap.Cell cell(Result result, Horizon horizon, Settings settings) {
    if (result.outcome().diverged()) {
      return new HeatMap.Cell("diverged", RegionMap.MISSED);
    }
    Evaluation last = horizon.of(result);
    if (last == null || last.accuracy() == null && last.loss() == null) {
      return new HeatMap.Cell("–", RegionMap.MISSED);
    }
    String text =
        last.accuracy() != null
            ? "%.1f".formatted(100 * last.accuracy())
            : "%.3g".formatted(last.loss());
    double part =
        settings.goal().accuracy() != null
            ? last.accuracy() / settings.goal().accuracy()
            : settings.goal().loss() / last.loss();
    int shades = RegionMap.SHADES;
    int shade = part >= 1 ? shades - 1 : Math.max(0, (int) ((2 * part - 1) * (shades - 1)));
    return new HeatMap.Cell(text, Palette.ordered(shade, shades));
  }
}
