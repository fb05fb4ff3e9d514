package io.github.kfac4j.cli.apply;

import io.github.kfac4j.cli.apply.ApplyReport.OfLayer;
import io.github.kfac4j.cli.common.Printable;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/** Prints an {@link ApplyReport} for people. */
final class ApplyTable {
  private ApplyTable() {}

  static void print(ApplyReport report, PrintWriter out) {
    int width = report.layers().stream().mapToInt(layer -> layer.name().length()).max().orElse(0);
    String format =
        "%-" + Math.max(width, 5) + "s  %-16s  %6s  %5s  %5s  %-19s  %-19s  %-19s  %s%n";
    out.printf(
        format, "layer", "type", "groups", "A", "G", "pi", "damping A", "damping G", "status");
    for (OfLayer layer : report.layers()) {
      out.printf(
          format,
          Printable.line(layer.name()),
          layer.type(),
          layer.groups(),
          layer.dims().a(),
          layer.dims().g(),
          range(layer.pi()),
          range(layer.damping().a()),
          range(layer.damping().g()),
          words(layer.status()));
    }
    out.printf(
        "backend %s, inner product %.6g, clip %.6g%n",
        report.backend(), report.innerProduct(), report.clip());
  }

  /** A number, or the least and the greatest of many. */
  private static String range(Object value) {
    List<?> values = value instanceof List<?> list ? list : listOf(value);
    double[] numbers =
        values.stream().filter(Double.class::isInstance).mapToDouble(x -> (Double) x).toArray();
    if (numbers.length == 0) {
      return "-";
    }
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (double x : numbers) {
      min = Math.min(min, x);
      max = Math.max(max, x);
    }
    return min == max ? "%.3g".formatted(min) : "%.3g..%.3g".formatted(min, max);
  }

  private static String words(Object status) {
    return status instanceof List<?> list
        ? String.join("; ", new LinkedHashSet<>(list.stream().map(Object::toString).toList()))
        : status.toString();
  }

  private static List<Object> listOf(Object value) {
    List<Object> one = new ArrayList<>(); // List.of refuses null
    one.add(value);
    return one;
  }
}
