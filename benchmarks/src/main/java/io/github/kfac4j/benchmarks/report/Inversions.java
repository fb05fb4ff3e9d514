package io.github.kfac4j.benchmarks.report;

import io.github.kfac4j.benchmarks.cases.Cases;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.run.Measurement;
import io.github.kfac4j.benchmarks.run.Pairs;
import io.github.kfac4j.benchmarks.run.Results;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The table of algorithms for inverses on a GPU, from measurements of each at each size: the rows
 * of {@code native/cuda/invert_table.h}. Kernels are timed alone, cuSOLVER as a whole call, which
 * at the sizes that it may win makes no difference.
 */
public final class Inversions {
  /** Measured contenders and what the table calls them. */
  private static final Map<String, String> ALGORITHMS = new LinkedHashMap<>();

  static {
    ALGORITHMS.put("cuda-kernels-8", "FP64_8");
    ALGORITHMS.put("cuda-kernels-32", "FP64_32");
    ALGORITHMS.put("cuda-kernels-64", "REGISTERS_64");
    ALGORITHMS.put("cuda-kernels-128", "REGISTERS_128");
    ALGORITHMS.put("cuda-kernels-sweep", "SWEEP");
    ALGORITHMS.put("cuda-cusolver", "CUSOLVER");
  }

  /** Up to this many matrices count as few: between the one and the thousand that are measured. */
  private static final int FEW = 32;

  /** Chosen for accuracy, whatever the times. */
  private static final int FP64_UP_TO = 32;

  private static final String MEASURED = "// Measured: ";
  private static final String BEGIN = "constexpr InvertRow INVERT_TABLE[] = {\n";
  private static final String END = "};\n";

  /** Seconds by algorithm, for each n. */
  private final Map<Integer, Map<String, Double>> few = new TreeMap<>();

  private final Map<Integer, Map<String, Double>> many = new TreeMap<>();

  /** Reads what a file of results has of inverses. */
  public Inversions(Results results) {
    for (Measurement m : results.measurements()) {
      Pairs pairs = m.pairs().get(0);
      String algorithm = ALGORITHMS.get(pairs.own());
      InverseCase c = algorithm == null ? null : find(m);
      if (c != null) {
        (c.count() <= FEW ? few : many)
            .computeIfAbsent(c.n(), n -> new LinkedHashMap<>())
            .merge(algorithm, Pairs.median(pairs.ownSeconds()) / c.count(), Math::min);
      }
    }
  }

  private static InverseCase find(Measurement m) {
    return Cases.all().stream()
        .filter(c -> c instanceof InverseCase i && i.network() == null && i.backend() == null)
        .filter(c -> c.verb().equals(m.verb()) && c.name().equals(m.name()))
        .map(c -> (InverseCase) c)
        .findFirst()
        .orElse(null);
  }

  /** The times and the rows; a line that says so if there are no times. */
  public String text() {
    if (few.isEmpty() && many.isEmpty()) {
      return "no algorithm for inverses was measured\n";
    }
    StringBuilder text = new StringBuilder("Microseconds a matrix by algorithm:\n");
    few.forEach((n, times) -> text.append(line(n, "single", times)));
    many.forEach((n, times) -> text.append(line(n, "stack", times)));
    return text.append("The rows of native/cuda/invert_table.h:\n").append(rows()).toString();
  }

  /**
   * The text of {@code invert_table.h} with the rows of these measurements.
   *
   * @param header its text so far
   * @param measured on which GPU, by which commit; one line
   * @throws IllegalArgumentException if nothing was measured, or the text is not that of the table
   */
  public String table(String header, String measured) {
    if (few.isEmpty() && many.isEmpty()) {
      throw new IllegalArgumentException("no algorithm for inverses was measured");
    }
    int line = header.indexOf(MEASURED);
    int begin = header.indexOf(BEGIN);
    int end = header.indexOf(END, Math.max(0, begin));
    if (line < 0 || begin < line || end < 0) {
      throw new IllegalArgumentException(
          "not a table of inversions: no line '%s', then '%s'".formatted(MEASURED, BEGIN.strip()));
    }
    return header.substring(0, line)
        + MEASURED
        + measured
        + ".\n"
        + BEGIN
        + rows()
        + header.substring(end);
  }

  private String rows() {
    List<String> rows = new ArrayList<>();
    rows.add(row("8", "ANY", "FP64_8"));
    rows.add(row(Integer.toString(FP64_UP_TO), "ANY", "FP64_32"));
    rows.addAll(rows(few, Integer.toString(FEW)));
    rows.addAll(rows(many, "ANY"));
    rows.add(row("ANY", "ANY", "SWEEP"));
    return String.join("", rows);
  }

  private static String line(int n, String what, Map<String, Double> times) {
    StringBuilder line = new StringBuilder("  n %5d %-6s".formatted(n, what));
    times.forEach(
        (name, seconds) ->
            line.append(
                " %s%s %.3f".formatted(name.equals(best(times)) ? "*" : "", name, 1e6 * seconds)));
    return line.append("\n").toString();
  }

  /** Neighbouring sizes with the same best algorithm share a row; the last one has no limit. */
  private static List<String> rows(Map<Integer, Map<String, Double>> times, String most) {
    List<String> rows = new ArrayList<>();
    List<Integer> sizes = times.keySet().stream().filter(n -> n > FP64_UP_TO).toList();
    for (int i = 0; i < sizes.size(); i++) {
      String best = best(times.get(sizes.get(i)));
      boolean last = i == sizes.size() - 1;
      if (last || !best.equals(best(times.get(sizes.get(i + 1))))) {
        boolean unlimited = last && (best.equals("SWEEP") || best.equals("CUSOLVER"));
        rows.add(row(unlimited ? "ANY" : Integer.toString(sizes.get(i)), most, best));
      }
    }
    return rows;
  }

  private static String best(Map<String, Double> times) {
    return times.entrySet().stream().min(Map.Entry.comparingByValue()).orElseThrow().getKey();
  }

  private static String row(String upTo, String most, String algorithm) {
    return "    {%s, %s, KFAC_INVERT_%s},\n".formatted(upTo, most, algorithm);
  }
}
