package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.curvature.Fp32Range;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.MatrixSpec;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.curvature.StateMatrix;
import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.LayerReport.FactorReport;
import io.github.kfac4j.data.LayerReport.GroupReport;
import io.github.kfac4j.inversion.DampedStack;
import io.github.kfac4j.inversion.RobustInversion;
import io.github.kfac4j.inversion.RobustInversion.InversionOutcome;
import io.github.kfac4j.options.InversePolicy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The damped inverses of the factors of many layers, and what is reported of them. */
final class FactorInverses {
  /**
   * The factors of one layer.
   *
   * @param pi of each group
   * @param parts by the factor's name in the report
   */
  record Task(LayerState state, double[] pi, Map<String, Part> parts) {
    Task(LayerState state, double[] pi) {
      this(state, pi, new LinkedHashMap<>());
    }

    /**
     * Asks for {@code (scale * factor + damping I)^-1}.
     *
     * @param name of the factor in the report
     * @param means of the eigenvalues of the scaled factors
     * @param damping of each, like {@code means}
     */
    void put(
        String name,
        StateKey factor,
        StateKey inverse,
        double scale,
        double[] means,
        double[] damping) {
      StateMatrix average = state.matrix(factor);
      StateMatrix target = state.matrix(inverse);
      MatrixStack source = average.stack();
      double size = 0;
      for (int k = 0; k < means.length; k++) {
        size = Math.max(size, means[k] + damping[k]);
      }
      int exponent = source.isDouble() ? 0 : Fp32Range.inverseExponent(size);
      InvertRequest inversion =
          new InvertRequest(
              source,
              Math.scalb(scale, average.exponent() - exponent),
              Fp32Range.scaled(damping, -exponent),
              target.stack());
      boolean moved = target.exponent() != -exponent;
      DampedStack stack =
          new DampedStack(
              inversion, exponent, state.ready() ? target.stack()::toArray : null, moved);
      parts.put(name, new Part(average.spec().role(), target, stack));
    }
  }

  /** One stack of a layer, what it is to the layer, and where its inverse goes. */
  record Part(MatrixSpec.Role factor, StateMatrix inverse, DampedStack stack) {}

  private FactorInverses() {}

  /**
   * Renews the inverses of all layers.
   *
   * @throws InversionFailedException if a layer has no fallback left
   */
  static List<LayerReport> renew(Backend backend, InversePolicy policy, List<Task> tasks) {
    List<DampedStack> stacks = new ArrayList<>();
    tasks.forEach(task -> task.parts().values().forEach(part -> stacks.add(part.stack())));
    List<InversionOutcome> all = new RobustInversion(backend, policy).invert(stacks);
    List<LayerReport> reports = new ArrayList<>();
    int at = 0;
    for (Task task : tasks) {
      Map<String, InversionOutcome> outcomes = new LinkedHashMap<>();
      for (String name : task.parts().keySet()) {
        outcomes.put(name, all.get(at++));
      }
      setExponents(task, outcomes);
      reports.add(report(task, outcomes, policy));
    }
    return reports;
  }

  /** Where one is kept of a stack, all are if the exponents differ. */
  private static void setExponents(Task task, Map<String, InversionOutcome> outcomes) {
    task.parts()
        .forEach(
            (name, part) -> {
              if (!outcomes.get(name).anyFailed()) {
                part.inverse().setExponent(-part.stack().exponent());
              }
            });
  }

  private static LayerReport report(
      Task task, Map<String, InversionOutcome> outcomes, InversePolicy policy) {
    LayerState state = task.state();
    boolean failed = false;
    String kept = canKeep(state, policy) ? ", last good inverse kept" : "";
    List<GroupReport> groups = new ArrayList<>();
    for (int k = 0; k < task.pi().length; k++) {
      int group = k;
      boolean here = outcomes.values().stream().anyMatch(outcome -> outcome.failed()[group]);
      failed |= here;
      List<FactorReport> factors =
          outcomes.entrySet().stream()
              .map(o -> factor(o.getKey(), task.parts().get(o.getKey()), o.getValue(), group))
              .toList();
      List<String> words =
          outcomes.entrySet().stream()
              .filter(o -> o.getValue().words()[group] != null)
              .map(o -> o.getKey() + " " + o.getValue().words()[group])
              .toList();
      String status = words.isEmpty() ? LayerReport.OK : String.join("; ", words);
      groups.add(new GroupReport(task.pi()[k], factors, here ? status + kept : status));
    }
    resolve(state, failed, groups, policy);
    return new LayerReport(
        state.name, state.layer.inputDim(), state.layer.outputDim(), groups.size(), groups, 0);
  }

  private static FactorReport factor(String name, Part part, InversionOutcome outcome, int group) {
    FactorReport.Kind kind =
        part.factor().isOfGradients()
            ? FactorReport.Kind.OUTPUT_GRADIENTS
            : FactorReport.Kind.INPUTS;
    return new FactorReport(name, kind, outcome.damping()[group], outcome.condition()[group]);
  }

  /** Whether what a layer has may serve once more. */
  static boolean canKeep(LayerState state, InversePolicy policy) {
    return state.ready() && state.counters.staleRefreshes < policy.maxStale();
  }

  private static void resolve(
      LayerState state, boolean failed, List<GroupReport> groups, InversePolicy policy) {
    if (!failed) {
      state.counters.staleRefreshes = 0;
    } else if (canKeep(state, policy)) {
      state.counters.staleRefreshes++;
    } else {
      throw new InversionFailedException(
          LayerState.prefix(state.name)
              + "the damped factors cannot be inverted ("
              + outOfFallbacks(
                  state,
                  groups.stream().map(GroupReport::status).distinct().toList().toString(),
                  "inverse"));
    }
  }

  /** The end of a message: what failed, why nothing old is kept, and what to do. */
  static String outOfFallbacks(LayerState state, String failure, String what) {
    return failure
        + (state.ready()
            ? ") for the " + (state.counters.staleRefreshes + 1) + " refreshes in a row"
            : ") and there is no earlier " + what)
        + (failure.contains(Status.NOT_FINITE.toString())
            ? "; the factors or their inverses are beyond the range of the backend's numbers: raise"
                + " the damping, or scale the layer's inputs and output gradients"
            : "; raise the damping");
  }
}
