package io.github.kfac4j.benchmarks.report;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.Cases;
import io.github.kfac4j.benchmarks.run.Measurement;
import io.github.kfac4j.benchmarks.run.Pairs;
import io.github.kfac4j.benchmarks.run.Results;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/** Results as Markdown. */
final class Markdown {
  private final Results results;
  private final Map<String, String> reasons;

  /**
   * The tables of one file.
   *
   * @param reasons why a target is missed, by {@link #key}
   */
  Markdown(Results results, Map<String, String> reasons) {
    this.results = results;
    this.reasons = reasons;
  }

  /** Where, how, at which commit. */
  String machine() {
    TreeSet<String> commits = new TreeSet<>();
    results.measurements().forEach(m -> commits.add(Objects.toString(m.commit(), "unknown")));
    String gpu = results.machine().gpu();
    return "%s, %d cores%s; %d threads for every library; seed %d; commit %s. "
        .formatted(
            results.machine().cpu(),
            results.machine().cores(),
            gpu == null ? "" : ", " + gpu + ", driver " + results.machine().driver(),
            results.threads(),
            results.seed(),
            String.join(", ", commits));
  }

  /** With what. */
  String versions() {
    List<String> versions = new ArrayList<>();
    results
        .versions()
        .forEach(
            (name, version) -> {
              boolean twice = name.contains(" ") || name.equals("sgd");
              if (!twice) {
                versions.add((name.equals("jdk") ? "JDK" : Style.label(name)) + " " + version);
              }
            });
    return String.join("; ", versions) + ".";
  }

  /**
   * All ratios: a table for each verb, a row for each case, a column for each peer.
   *
   * @param spread whether to show the least and the largest ratio too
   */
  String ratios(boolean spread) {
    StringBuilder text = new StringBuilder();
    List<String> verbs = results.measurements().stream().map(Measurement::verb).distinct().toList();
    for (String verb : verbs) {
      if (!verb.equals(Case.TRAINING)) {
        table(text, verb, spread);
      }
    }
    return text.toString();
  }

  private void table(StringBuilder text, String verb, boolean spread) {
    List<Measurement> rows =
        results.measurements().stream().filter(m -> m.verb().equals(verb)).toList();
    List<String> peers =
        Style.contenders().stream()
            .filter(name -> rows.stream().anyMatch(m -> find(m, name) != null))
            .toList();
    text.append("| ").append(Names.verb(verb)).append(" | kfac4j, ms | GFLOP/s |");
    peers.forEach(peer -> text.append(" ").append(Style.label(peer)).append(" |"));
    text.append("\n|---|---|---|").append("---|".repeat(peers.size())).append("\n");
    for (Measurement m : rows) {
      double seconds = ownSeconds(m);
      text.append(
          "| %s%s%s | %s | %s |"
              .formatted(
                  m.name(),
                  Names.suffix(m.pairs().get(0).own()),
                  busy(m),
                  number(1e3 * seconds),
                  m.flops() > 0 ? number(m.flops() / seconds * 1e-9) : ""));
      for (String peer : peers) {
        Pairs p = find(m, peer);
        text.append(p == null ? " |" : " " + (spread ? ratio(p) : number(p.ratio())) + " |");
      }
      text.append("\n");
    }
    text.append("\n");
  }

  /** How busy the cores were, if that was measured. */
  private static String busy(Measurement m) {
    double[] shares =
        m.pairs().stream()
            .map(Pairs::ownBusy)
            .filter(Objects::nonNull)
            .mapToDouble(Double::doubleValue)
            .toArray();
    return shares.length == 0 ? "" : ", cores busy: %.0f %%".formatted(100 * Pairs.median(shares));
  }

  private static String ratio(Pairs p) {
    double[] all = p.ratios();
    return "**%s** (%s to %s)"
        .formatted(number(p.ratio()), number(all[0]), number(all[all.length - 1]));
  }

  private static Pairs find(Measurement m, String peer) {
    return m.pairs().stream().filter(p -> peer.equals(p.peer())).findFirst().orElse(null);
  }

  /** The median of all samples of ours, beside whatever peer. */
  private static double ownSeconds(Measurement m) {
    List<Double> all = new ArrayList<>();
    m.pairs().forEach(p -> all.addAll(p.ownSeconds()));
    return Pairs.median(all);
  }

  /** Three digits. */
  static String number(double value) {
    if (value >= 100) {
      return "%.0f".formatted(value);
    }
    return value >= 10
        ? "%.1f".formatted(value)
        : value >= 1 ? "%.2f".formatted(value) : "%.3f".formatted(value);
  }

  /** What K-FAC adds to a training step. */
  String training() {
    StringBuilder text = new StringBuilder();
    for (Measurement m : results.measurements()) {
      if (m.verb().equals(Case.TRAINING)) {
        Pairs p = m.pairs().get(0);
        text.append(
            "- %s: an SGD step takes %s ms, with K-FAC %s ms, %s more.%n"
                .formatted(
                    m.name(),
                    number(1e2 * Pairs.median(p.peerSeconds())),
                    number(1e2 * Pairs.median(p.ownSeconds())),
                    extra(p)));
      }
    }
    return text.toString();
  }

  /** The time that K-FAC adds: the median of the pairs, and the range. */
  private static String extra(Pairs p) {
    double[] ratios = p.ratios();
    return "%.1f %% (%.0f to %.0f)"
        .formatted(
            100 / p.ratio() - 100, 100 / ratios[ratios.length - 1] - 100, 100 / ratios[0] - 100);
  }

  /** The targets: how many are met, and each that is not, with the reason. */
  String targets() {
    int met = 0;
    List<String> missed = new ArrayList<>();
    for (Measurement m : results.measurements()) {
      for (Pairs p : m.pairs()) {
        if (p.target() == null) {
          continue;
        }
        if (p.ratio() >= p.target()) {
          met++;
        } else {
          missed.add(missed(m, p));
        }
      }
    }
    if (met + missed.size() == 0) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    text.append("%d of %d targets are met.".formatted(met, met + missed.size()));
    if (!missed.isEmpty()) {
      text.append(
          " These are not:\n\n| | against | target | measured | reason |\n|---|---|---|---|---|\n");
      missed.forEach(text::append);
    }
    return text.append("\n").toString();
  }

  /** The cases of the comparison that the file lacks. */
  String missing() {
    List<String> ids =
        Cases.of("compare").stream()
            .filter(c -> results.measurements().stream().noneMatch(m -> isOf(m, c)))
            .map(Case::id)
            .toList();
    return ids.isEmpty() ? "" : "Not measured: " + String.join("; ", ids) + ".\n";
  }

  private static boolean isOf(Measurement m, Case c) {
    String own = m.pairs().get(0).own();
    return m.verb().equals(c.verb())
        && m.name().equals(c.name())
        && (c.backend() == null ? Names.suffix(own).isEmpty() : own.equals(c.backend()));
  }

  private String missed(Measurement m, Pairs p) {
    boolean training = m.verb().equals(Case.TRAINING);
    String target = training ? "+%.0f %%".formatted(100 / p.target() - 100) : number(p.target());
    String measured = training ? "+" + extra(p) : ratio(p);
    return "| %s, %s%s | %s | %s | %s | %s |%n"
        .formatted(
            Names.verb(m.verb()),
            m.name(),
            Names.suffix(p.own()),
            Style.label(p.peer()),
            target,
            measured,
            reasons.getOrDefault(key(m, p), "not known"));
  }

  /** What a reason is filed under: own, verb, name and peer. */
  static String key(Measurement m, Pairs p) {
    return p.own() + ": " + m.verb() + " " + m.name() + " / " + p.peer();
  }
}
