package io.github.kfac4j;

import io.github.kfac4j.LayerReport.FactorReport;
import io.github.kfac4j.LayerReport.GroupReport;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.backend.Inversion;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Inverts the factors of many layers and applies the {@link InversePolicy} to those that fail. */
final class RobustInversion {
  /**
   * The factors of one layer.
   *
   * @param pi of each group
   * @param parts by the factor's name
   */
  record Task(LayerState state, double[] pi, Map<String, Part> parts) {
    Task(LayerState state, double[] pi) {
      this(state, pi, new LinkedHashMap<>());
    }

    /**
     * Asks for {@code (scale * factor + damping I)^-1}.
     *
     * @param name of the factor in the report
     * @param factor its name in the state, likewise {@code inverse}
     * @param means of the eigenvalues of the scaled factors
     * @param damping of each, like {@code means}
     */
    void put(
        String name,
        String factor,
        String inverse,
        double scale,
        double[] means,
        double[] damping) {
      MatrixStack source = state.matrix(factor);
      double size = 0;
      for (int k = 0; k < means.length; k++) {
        size = Math.max(size, means[k] + damping[k]);
      }
      int exponent = source.isDouble() ? 0 : Range.inverseExponent(size);
      Inversion inversion =
          new Inversion(
              source,
              Math.scalb(scale, state.exponent(factor) - exponent),
              Range.scaled(damping, -exponent),
              state.matrix(inverse));
      parts.put(name, new Part(inverse, inversion, exponent));
    }
  }

  /**
   * One stack of damped factors, divided by 2 to the exponent, which is mostly 0.
   *
   * @param key the name of the inverse in the state
   */
  record Part(String key, Inversion inversion, int exponent) {}

  /** How one stack ended: damping and condition of each matrix, and words if not plainly ok. */
  private record Outcome(
      String name, double[] damping, double[] condition, String[] words, boolean[] failed) {
    String words(int k) {
      return words[k] == null ? "" : name + " " + words[k];
    }
  }

  private final Backend backend;
  private final InversePolicy policy;
  private final EigenInversion eigen;

  RobustInversion(Backend backend, InversePolicy policy) {
    this.backend = backend;
    this.policy = policy;
    this.eigen = new EigenInversion(backend);
  }

  /**
   * Runs all inversions.
   *
   * @throws InversionFailedException if a layer is out of remedies
   */
  List<LayerReport> invert(List<Task> tasks) {
    List<Inversion> all = new ArrayList<>();
    tasks.forEach(task -> task.parts().values().forEach(part -> all.add(part.inversion())));
    List<double[]> before = backend.traces(all.stream().map(Inversion::source).toList());
    List<double[]> old = old(tasks, before);
    List<Status[]> statuses = first(all);
    List<Rescue> rescues = new ArrayList<>();
    for (Task task : tasks) {
      for (Part part : task.parts().values()) {
        int i = rescues.size();
        rescues.add(new Rescue(backend, policy, part, statuses.get(i), old.get(i)));
        task.state().setExponent(part.key(), -part.exponent());
      }
    }
    List<double[]> after = backend.traces(all.stream().map(Inversion::inverse).toList());
    List<LayerReport> reports = new ArrayList<>();
    int at = 0;
    for (Task task : tasks) {
      List<Outcome> outcomes = new ArrayList<>();
      for (String name : task.parts().keySet()) {
        outcomes.add(outcome(name, rescues.get(at), before.get(at), after.get(at)));
        at++;
      }
      reports.add(report(task, outcomes));
    }
    return reports;
  }

  /**
   * Good inverses that may be overwritten by useless ones or get another exponent, null for all
   * others: only with a damping near the roundoff of the matrix can an error reach 1.
   */
  private static List<double[]> old(List<Task> tasks, List<double[]> traces) {
    List<double[]> old = new ArrayList<>();
    for (Task task : tasks) {
      LayerState state = task.state();
      for (Part part : task.parts().values()) {
        Inversion inversion = part.inversion();
        double[] trace = traces.get(old.size());
        double roundoff = inversion.scale() * InverseAccuracy.roundoff(inversion.source());
        boolean risky =
            IntStream.range(0, trace.length)
                .anyMatch(k -> !(20 * roundoff * trace[k] < inversion.damping()[k]));
        boolean moved = state.exponent(part.key()) != -part.exponent();
        old.add(
            state.ready() && (risky || moved)
                ? Range.scaled(state.values(part.key()), part.exponent())
                : null);
      }
    }
    return old;
  }

  private List<Status[]> first(List<Inversion> all) {
    return switch (policy.method()) {
      case CHOLESKY -> backend.invert(all);
      case EIGEN -> eigen.invert(all);
      case NEWTON_SCHULZ -> new NewtonSchulz(backend, policy.residual()).invert(all);
    };
  }

  private Outcome outcome(String name, Rescue rescue, double[] before, double[] after) {
    Inversion inversion = rescue.part().inversion();
    MatrixStack source = inversion.source();
    double[] condition = new double[source.count()];
    for (int k = 0; k < condition.length; k++) {
      double trace = inversion.scale() * before[k] + source.rows() * rescue.damping()[k];
      condition[k] = rescue.failed()[k] ? Double.NaN : trace * after[k];
    }
    String[] words = rescue.words().clone();
    String[] remedies = eigen.remedies(inversion);
    Arrays.setAll(words, k -> words[k] == null ? remedies[k] : words[k]);
    double[] damping = Range.scaled(rescue.damping(), rescue.part().exponent());
    return new Outcome(name, damping, condition, words, rescue.failed());
  }

  private LayerReport report(Task task, List<Outcome> outcomes) {
    LayerState state = task.state();
    boolean failed = false;
    String kept = canKeep(state) ? ", last good inverse kept" : "";
    List<GroupReport> groups = new ArrayList<>();
    for (int k = 0; k < task.pi().length; k++) {
      int group = k;
      boolean here = outcomes.stream().anyMatch(outcome -> outcome.failed()[group]);
      failed |= here;
      List<FactorReport> factors =
          outcomes.stream()
              .map(o -> new FactorReport(o.name(), o.damping()[group], o.condition()[group]))
              .toList();
      List<String> words =
          outcomes.stream().map(o -> o.words(group)).filter(w -> !w.isEmpty()).toList();
      String status = words.isEmpty() ? "ok" : String.join("; ", words);
      groups.add(new GroupReport(task.pi()[k], factors, here ? status + kept : status));
    }
    settle(state, failed, groups);
    return new LayerReport(
        state.name, state.layer.inputDim(), state.layer.outputDim(), groups.size(), groups, 0);
  }

  private boolean canKeep(LayerState state) {
    return state.ready() && state.staleRefreshes < policy.maxStale();
  }

  private void settle(LayerState state, boolean failed, List<GroupReport> groups) {
    if (!failed) {
      state.staleRefreshes = 0;
    } else if (canKeep(state)) {
      state.staleRefreshes++;
    } else {
      throw new InversionFailedException(
          LayerState.prefix(state.name)
              + "the damped factors cannot be inverted ("
              + outOfRemedies(
                  state,
                  groups.stream().map(GroupReport::status).distinct().toList().toString(),
                  "inverse"));
    }
  }

  /** The end of a message: what failed, why nothing old is kept, and what to do. */
  static String outOfRemedies(LayerState state, String failure, String what) {
    return failure
        + (state.ready()
            ? ") for the " + (state.staleRefreshes + 1) + " refreshes in a row"
            : ") and there is no earlier " + what)
        + (failure.contains(Status.NOT_FINITE.toString())
            ? "; the factors are beyond the range of the backend's numbers: scale the layer's inputs"
                + " and output gradients"
            : "; raise the damping");
  }
}
