package io.github.kfac4j.experiments.study.sensitivity;

import io.github.kfac4j.experiments.plot.HeatMap;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Png;
import io.github.kfac4j.experiments.study.trial.Range;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import java.awt.Color;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The grids as heat maps: a row for each optimizer, a map for each batch size. The number in a cell
 * is that of steps to the goal; the fewer in comparison with the best of the map, the brighter.
 */
final class RegionMap {
  static final Color MISSED = new Color(0xE5E7EB);

  /** Shades: of as many steps as the best, of up to twice as many, and so on. */
  static final int SHADES = 5;

  private RegionMap() {}

  /** A PNG file. */
  static byte[] png(List<Region> regions, Map<StudyOptimizer, Grid> grids) {
    Map<StudyOptimizer, List<HeatMap>> rows = new LinkedHashMap<>();
    for (Region region : regions) {
      rows.computeIfAbsent(region.optimizer(), key -> new ArrayList<>())
          .add(map(region, grids.get(region.optimizer())));
    }
    return Png.of(HeatMap.image(List.copyOf(rows.values())));
  }

  private static HeatMap map(Region region, Grid grid) {
    return map(region, grid, region.fraction(), r -> cell(r.outcome(), region.fewestSteps()));
  }

  /** A map of a grid, of which so large a part is good. */
  static HeatMap map(
      Region region, Grid grid, double fraction, Function<Result, HeatMap.Cell> cell) {
    HeatMap.Cell[] cells = new HeatMap.Cell[grid.rows() * grid.columns()];
    region.results().forEach(r -> cells[r.trial().number()] = cell.apply(r));
    return new HeatMap(
        "%s, batch %d: %.0f %%"
            .formatted(region.optimizer().title(), region.batch(), 100 * fraction),
        title(grid.x()),
        title(grid.y()),
        grid.ticks(grid.x()),
        grid.ticks(grid.y()),
        Arrays.asList(cells),
        grid.columns());
  }

  private static String title(Range range) {
    return range == null ? "" : range.metaparameter().title();
  }

  private static HeatMap.Cell cell(TrialOutcome outcome, Long fewest) {
    if (!outcome.reached()) {
      return new HeatMap.Cell(outcome.diverged() ? "diverged" : "–", MISSED);
    }
    double octaves = Math.log((double) outcome.stepsToGoal() / fewest) / Math.log(2);
    int shade = SHADES - 1 - Math.min(SHADES - 1, (int) Math.ceil(octaves));
    return new HeatMap.Cell(outcome.stepsToGoal().toString(), Palette.ordered(shade, SHADES));
  }
}
