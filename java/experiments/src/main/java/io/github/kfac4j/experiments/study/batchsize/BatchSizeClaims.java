package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.study.batchsize.CriticalBatch.Point;
import io.github.kfac4j.experiments.study.report.Interval;
import io.github.kfac4j.experiments.study.report.Verdict;
import io.github.kfac4j.experiments.study.search.StoredStudy;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** What a study of batch sizes says of the claims of Ma et al. and of Zhang et al. (2019). */
public final class BatchSizeClaims {
  private static final String MA = "Ma et al.: ";
  private static final String ZHANG = "Zhang et al.: ";

  /** As good as equal: steps within a factor of 1.25, accuracies within a point. */
  private static final double FACTOR = 1.25;

  private static final double POINT = 0.01;

  private final Map<String, ScalingCurve> curves = new HashMap<>();

  private BatchSizeClaims(List<ScalingCurve> all) {
    all.forEach(curve -> curves.put(curve.optimizer().toString(), curve));
  }

  /** The critical batch size of an optimizer with its interval, which is null if not known. */
  public record Critical(StudyOptimizer optimizer, double batch, Interval interval) {}

  /** Those of all optimizers of a study; NaN where nothing is known. */
  public static List<Critical> critical(StoredStudy study) {
    return ScalingCurve.of(study.results(), study.settings()).stream()
        .map(c -> new Critical(c.optimizer(), c.critical().value(), c.criticalInterval()))
        .toList();
  }

  /** Of a study. */
  public static List<Verdict> of(StoredStudy study) {
    return new BatchSizeClaims(ScalingCurve.of(study.results(), study.settings())).verdicts();
  }

  private List<Verdict> verdicts() {
    String critical = "critical batch sizes";
    return List.of(
        ratioBetween(ZHANG + "momentum does not help small batches", "sgd", "heavy-ball"),
        order(ZHANG + "momentum extends perfect scaling", "heavy-ball", "sgd", critical),
        order(ZHANG + "Adam extends it further than momentum", "adam", "heavy-ball", critical),
        order(ZHANG + "K-FAC extends it further than Adam", "kfac", "adam", critical),
        ratioAbove(ZHANG + "K-FAC helps small batches too", "heavy-ball", "kfac", false),
        ratioAbove(ZHANG + "Adam helps small batches too", "heavy-ball", "adam", false),
        ratioAbove(ZHANG + "averaged weights save steps at small batches", "sgd", "sgd-ema", false),
        order(ZHANG + "averaged weights lower the critical batch size", "sgd", "sgd-ema", critical),
        accuracy(MA + "K-FAC's final accuracy is comparable to that of SGD with momentum"),
        ratioAbove(
            MA + "SGD with momentum makes more progress an iteration", "kfac", "heavy-ball", true),
        diminishing(MA + "diminishing returns for SGD with momentum", "heavy-ball"),
        diminishing(MA + "diminishing returns for K-FAC", "kfac"),
        departure(MA + "K-FAC departs more from ideal scaling"));
  }

  private ScalingCurve curve(String name) {
    ScalingCurve curve = curves.get(name);
    return curve != null && curve.repeated() ? curve : null;
  }

  private Verdict order(String claim, String large, String small, String what) {
    ScalingCurve a = curve(large);
    ScalingCurve b = curve(small);
    return a == null || b == null
        ? Verdict.unknown(claim)
        : Verdict.larger(claim, a.criticalInterval(), b.criticalInterval(), what);
  }

  private Verdict ratioBetween(String claim, String above, String below) {
    Ratio ratio = ratio(above, below, false);
    return ratio == null
        ? Verdict.unknown(claim)
        : Verdict.between(claim, 1 / FACTOR, FACTOR, ratio.interval, ratio.words);
  }

  private Verdict ratioAbove(String claim, String above, String below, boolean largest) {
    Ratio ratio = ratio(above, below, largest);
    return ratio == null
        ? Verdict.unknown(claim)
        : Verdict.above(claim, 1, ratio.interval, ratio.words);
  }

  private record Ratio(Interval interval, String words) {}

  /** The steps of one optimizer over those of another, with the same batch size. */
  private Ratio ratio(String above, String below, boolean largest) {
    ScalingCurve a = curve(above);
    ScalingCurve b = curve(below);
    if (a == null || b == null) {
      return null;
    }
    List<Integer> batches = common(a, b);
    if (batches.isEmpty()) {
      return null;
    }
    int batch = batches.get(largest ? batches.size() - 1 : 0);
    double[] values =
        pairs(
            Bootstrap.values(a.runs(), points -> steps(points, batch), 0),
            Bootstrap.values(b.runs(), points -> steps(points, batch), 1),
            (x, y) -> x / y);
    return new Ratio(
        Interval.of(values),
        "steps of %s over those of %s at batch %d:"
            .formatted(a.optimizer().title(), b.optimizer().title(), batch));
  }

  private static List<Integer> common(ScalingCurve a, ScalingCurve b) {
    List<Integer> other = b.points().stream().map(Point::batch).toList();
    return a.points().stream().map(Point::batch).filter(other::contains).toList();
  }

  private static double steps(List<Point> points, int batch) {
    return points.stream()
        .filter(p -> p.batch() == batch)
        .mapToDouble(Point::steps)
        .findFirst()
        .orElse(Double.NaN);
  }

  private interface Pair {
    double of(double x, double y);
  }

  private static double[] pairs(double[] x, double[] y, Pair pair) {
    double[] values = new double[x.length];
    Arrays.setAll(values, i -> pair.of(x[i], y[i]));
    return values;
  }

  /** The exponent between the two largest batch sizes is below that of perfect scaling. */
  private Verdict diminishing(String claim, String name) {
    ScalingCurve curve = curve(name);
    if (curve == null || curve.points().size() < 2) {
      return Verdict.unknown(claim);
    }
    ToDoubleFunction<List<Point>> last =
        points ->
            points.size() < 2
                ? Double.NaN
                : ScalingCurve.exponent(points.subList(points.size() - 2, points.size()));
    return Verdict.below(
        claim,
        1,
        Bootstrap.interval(curve.runs(), last),
        "exponent between the two largest batches:");
  }

  private Verdict departure(String claim) {
    ScalingCurve sgd = curve("heavy-ball");
    ScalingCurve kfac = curve("kfac");
    if (sgd == null || kfac == null) {
      return Verdict.unknown(claim);
    }
    double[] values =
        pairs(
            Bootstrap.values(sgd.runs(), ScalingCurve::exponent, 0),
            Bootstrap.values(kfac.runs(), ScalingCurve::exponent, 1),
            (x, y) -> x - y);
    return Verdict.above(
        claim, 0, Interval.of(values), "exponent of heavy ball less that of K-FAC:");
  }

  /** Test accuracies of the repetitions, the mean over batch sizes of the medians' difference. */
  private Verdict accuracy(String claim) {
    ScalingCurve sgd = curve("heavy-ball");
    ScalingCurve kfac = curve("kfac");
    if (sgd == null || kfac == null) {
      return Verdict.unknown(claim);
    }
    Function<ScalingCurve, List<Bootstrap.Runs>> tests =
        curve ->
            curve.tunings().stream()
                .map(t -> new Bootstrap.Runs(t.batch(), t.testAccuracies()))
                .filter(runs -> runs.steps().length > 1)
                .toList();
    List<Bootstrap.Runs> a = tests.apply(kfac);
    List<Bootstrap.Runs> b = tests.apply(sgd);
    if (a.isEmpty() || a.size() != b.size()) {
      return Verdict.unknown(claim + " (needs --run-to-end and test images)");
    }
    ToDoubleFunction<List<Point>> mean =
        points -> points.stream().mapToDouble(Point::steps).average().orElse(Double.NaN);
    double[] values =
        pairs(Bootstrap.values(a, mean, 0), Bootstrap.values(b, mean, 1), (x, y) -> x - y);
    return Verdict.between(
        claim,
        -POINT,
        POINT,
        Interval.of(values),
        "test accuracy of K-FAC less that of heavy ball:");
  }
}
