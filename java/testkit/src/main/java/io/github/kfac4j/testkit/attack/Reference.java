package io.github.kfac4j.testkit.attack;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * K-FAC in fp64 that gets the same requests as another one. What the other one computes may differ
 * by what rounding to fp32 makes of the conditions of the factors, as long as it has not taken
 * another way: a fallback, or moments in a basis, which rounding may turn.
 */
final class Reference {
  /** Rounding to fp32 of a few operations in a row. */
  private static final double ROUNDING = 32 * 0x1p-24;

  /** Beyond it a difference tells nothing. */
  private static final double MAX_TOLERANCE = 0.3;

  private static final double LEAST_STEP = 1e-30;
  private static final double LARGEST_STEP = 1e30;

  private final Kfac kfac;
  private List<LayerReport> reports = List.of();
  private boolean left;
  private double tolerance = Double.POSITIVE_INFINITY;
  private int compared;

  Reference(Kfac kfac) {
    this.kfac = kfac;
  }

  int compared() {
    return compared;
  }

  /** The other one goes its own way from here on. */
  void leave() {
    left = true;
  }

  boolean left() {
    return left;
  }

  /** Runs a verb; returns the refusal, or null. */
  RuntimeException run(Consumer<Kfac> verb) {
    try {
      verb.accept(kfac);
      return null;
    } catch (IllegalArgumentException | IllegalStateException e) {
      return e;
    }
  }

  void refresh() {
    reports = List.of();
    try {
      reports = kfac.refresh();
    } catch (IllegalStateException e) {
      return; // nothing observed
    } catch (InversionFailedException e) {
      kfac.discardStep();
      leave();
    }
  }

  /** What was reported of another damping tells nothing. */
  void reconfigured() {
    tolerance = Double.POSITIVE_INFINITY;
  }

  /** Tells what came of the other's refresh. */
  void refreshed(List<LayerReport> others) {
    double worst = 1;
    for (int i = 0; i < others.size() && !left; i++) {
      for (int k = 0; k < others.get(i).perGroup().size(); k++) {
        LayerReport.GroupReport here = reports.get(i).perGroup().get(k);
        if (!here.status().equals("ok") || !others.get(i).perGroup().get(k).status().equals("ok")) {
          leave();
          return;
        }
        double product = 1;
        for (LayerReport.FactorReport factor : here.factors()) {
          product *= factor.condition();
        }
        worst = Math.max(worst, product);
      }
    }
    // once for the error of the inverses, and once since a step may be that much smaller than its
    // terms
    tolerance = ROUNDING * worst * worst;
  }

  /** Its own result, or null; the tensors are as they were afterwards. */
  List<double[]> precondition(LayerGradient gradient, List<HostTensor> tensors) {
    List<double[]> before = tensors.stream().map(HostTensor::toArray).toList();
    List<double[]> after = null;
    try {
      kfac.precondition(List.of(gradient));
      after = tensors.stream().map(HostTensor::toArray).toList();
    } catch (IllegalArgumentException | IllegalStateException e) {
      return null;
    } catch (InversionFailedException e) {
      kfac.discardStep();
      leave();
    }
    for (int i = 0; i < before.size(); i++) {
      tensors.get(i).write(0, before.get(i), 0, before.get(i).length);
    }
    return after;
  }

  /** Holds the other's result to its own. */
  void compare(List<double[]> expected, List<double[]> actual) {
    boolean turns = kfac.options().approximation() == Approximation.EKFAC;
    if (expected == null || left || turns || !(tolerance <= MAX_TOLERANCE)) {
      return;
    }
    double[] e = join(expected);
    double[] a = join(actual);
    double size = 0;
    double off = 0;
    for (int i = 0; i < e.length; i++) {
      size = Math.max(size, Math.abs(e[i]));
      off = Math.max(off, Math.abs(e[i] - a[i]));
    }
    if (size > LEAST_STEP && size < LARGEST_STEP) {
      compared++;
      // largest elements against each other: up to the root of their number more than norms
      double bound = Math.sqrt(e.length) * tolerance;
      AttackedKfac.require(
          off <= bound * size, "a step is off by " + off / size + ", not " + bound, null);
    }
  }

  private static double[] join(List<double[]> parts) {
    List<Double> all = new ArrayList<>();
    parts.forEach(
        part -> {
          for (double x : part) {
            all.add(x);
          }
        });
    return all.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
