package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Inversion;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.oracle.JavaBackend;
import java.util.ArrayList;
import java.util.List;

/** Inverts the factors of many layers and applies the {@link InversePolicy} to those that fail. */
final class RobustInversion {
  private final Backend backend;
  private final InversePolicy policy;

  RobustInversion(Backend backend, InversePolicy policy) {
    this.backend = backend;
    this.policy = policy;
  }

  /**
   * Runs all inversions, A and G of each layer in turn.
   *
   * @throws InversionFailedException if a layer is out of remedies
   */
  List<LayerReport> invert(
      List<LayerState> states, List<FactoredDamping[]> dampings, List<Inversion> inversions) {
    List<Status[]> statuses = backend.invert(inversions);
    List<LayerReport> reports = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      Outcome a = settle(inversions.get(2 * i), statuses.get(2 * i));
      Outcome g = settle(inversions.get(2 * i + 1), statuses.get(2 * i + 1));
      reports.add(report(states.get(i), dampings.get(i), a, g));
    }
    return reports;
  }

  /** How each matrix of one stack ended: the damping that was used, and words if not plainly ok. */
  private record Outcome(double[] damping, String[] remedy, boolean[] failed) {}

  private Outcome settle(Inversion inversion, Status[] status) {
    int count = status.length;
    Outcome outcome =
        new Outcome(inversion.damping().clone(), new String[count], new boolean[count]);
    for (int k = 0; k < count; k++) {
      if (!status[k].ok()) {
        rescue(inversion, k, status[k], outcome);
      }
    }
    return outcome;
  }

  private void rescue(Inversion inversion, int k, Status first, Outcome outcome) {
    if (first.kind() == Status.Kind.NOT_POSITIVE_DEFINITE) {
      double[] damping = outcome.damping();
      for (int attempt = 1; attempt <= policy.escalations(); attempt++) {
        double asked = inversion.damping()[k];
        damping[k] = asked * Math.pow(policy.factor(), attempt);
        Inversion retry =
            new Inversion(inversion.source(), inversion.scale(), damping, inversion.inverse());
        if (backend.invert(List.of(retry)).get(0)[k].ok()) {
          outcome.remedy()[k] = first + ", damping raised from " + asked + " to " + damping[k];
          return;
        }
      }
      damping[k] = inversion.damping()[k];
      if (invertInDouble(inversion, k)) {
        outcome.remedy()[k] = first + ", inverted in fp64";
        return;
      }
    }
    outcome.failed()[k] = true;
    outcome.remedy()[k] = first.toString();
  }

  /** Inverts one matrix with the fp64 backend; false if it fails there too. */
  private boolean invertInDouble(Inversion inversion, int k) {
    MatrixStack source = inversion.source();
    if (source.isDouble()) {
      return false;
    }
    int n = source.rows();
    int offset = k * n * n;
    try (JavaBackend java = new JavaBackend();
        MatrixStack matrix = java.allocate(1, n, n);
        MatrixStack inverse = java.allocate(1, n, n)) {
      double[] one = new double[n * n];
      System.arraycopy(source.toArray(), offset, one, 0, one.length);
      matrix.set(one);
      Inversion request =
          new Inversion(matrix, inversion.scale(), new double[] {inversion.damping()[k]}, inverse);
      if (!java.invert(List.of(request)).get(0)[0].ok()) {
        return false;
      }
      double[] all = inversion.inverse().toArray();
      System.arraycopy(inverse.toArray(), 0, all, offset, one.length);
      inversion.inverse().set(all);
      return true;
    }
  }

  private LayerReport report(LayerState state, FactoredDamping[] asked, Outcome a, Outcome g) {
    boolean failed = false;
    List<LayerReport.GroupReport> groups = new ArrayList<>();
    for (int k = 0; k < asked.length; k++) {
      failed |= a.failed()[k] || g.failed()[k];
      groups.add(
          new LayerReport.GroupReport(
              asked[k].pi(), a.damping()[k], g.damping()[k], words(a.remedy()[k], g.remedy()[k])));
    }
    if (!failed) {
      state.staleRefreshes = 0;
    } else if (!state.ready() || state.staleRefreshes >= policy.maxStale()) {
      throw new InversionFailedException(
          LayerState.prefix(state.name)
              + "the damped factors cannot be inverted ("
              + groups.stream().map(LayerReport.GroupReport::status).distinct().toList()
              + (state.ready()
                  ? ") for the " + (state.staleRefreshes + 1) + " refreshes in a row"
                  : ") and there is no earlier inverse")
              + "; raise the damping or lower the learning rate");
    } else {
      state.staleRefreshes++;
      groups.replaceAll(
          group ->
              group.status().equals("ok")
                  ? group
                  : new LayerReport.GroupReport(
                      group.pi(),
                      group.dampingA(),
                      group.dampingG(),
                      group.status() + ", last good inverse kept"));
    }
    return new LayerReport(
        state.name, state.layer.inputDim(), state.layer.outputDim(), asked.length, groups);
  }

  private static String words(String a, String g) {
    if (a == null && g == null) {
      return "ok";
    }
    String first = a == null ? "" : "A " + a;
    String second = g == null ? "" : "G " + g;
    return first + (a != null && g != null ? "; " : "") + second;
  }
}
