package io.github.kfac4j;

import io.github.kfac4j.LayerReport.FactorReport;
import io.github.kfac4j.LayerReport.GroupReport;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Inversion;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Inverts the factors of many layers and applies the {@link InversePolicy} to those that fail. */
final class RobustInversion {
  /**
   * The factors of one layer.
   *
   * @param pi of each group
   * @param inversions by the factor's name
   */
  record Task(LayerState state, double[] pi, Map<String, Inversion> inversions) {
    Task(LayerState state, double[] pi) {
      this(state, pi, new LinkedHashMap<>());
    }
  }

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
    List<Inversion> all = tasks.stream().flatMap(t -> t.inversions().values().stream()).toList();
    List<Status[]> statuses = first(all);
    List<Rescue> rescues = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      rescues.add(new Rescue(backend, policy, all.get(i), statuses.get(i)));
    }
    List<double[]> before = backend.traces(all.stream().map(Inversion::source).toList());
    List<double[]> after = backend.traces(all.stream().map(Inversion::inverse).toList());
    List<LayerReport> reports = new ArrayList<>();
    int at = 0;
    for (Task task : tasks) {
      List<Outcome> outcomes = new ArrayList<>();
      for (String name : task.inversions().keySet()) {
        outcomes.add(outcome(name, rescues.get(at), before.get(at), after.get(at)));
        at++;
      }
      reports.add(report(task, outcomes));
    }
    return reports;
  }

  private List<Status[]> first(List<Inversion> all) {
    return switch (policy.method()) {
      case CHOLESKY -> backend.invert(all);
      case EIGEN -> eigen.invert(all);
      case NEWTON_SCHULZ -> new NewtonSchulz(backend, policy.residual()).invert(all);
    };
  }

  private Outcome outcome(String name, Rescue rescue, double[] before, double[] after) {
    MatrixStack source = rescue.inversion().source();
    double[] condition = new double[source.count()];
    for (int k = 0; k < condition.length; k++) {
      double trace = rescue.inversion().scale() * before[k] + source.rows() * rescue.damping()[k];
      condition[k] = rescue.failed()[k] ? Double.NaN : trace * after[k];
    }
    String[] words = rescue.words().clone();
    String[] remedies = eigen.remedies(rescue.inversion());
    Arrays.setAll(words, k -> words[k] == null ? remedies[k] : words[k]);
    return new Outcome(name, rescue.damping(), condition, words, rescue.failed());
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
