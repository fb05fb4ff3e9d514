package io.github.kfac4j.inversion;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.options.InversePolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Inverts stacks of damped factors and applies the {@link InversePolicy} to those that fail. */
public final class RobustInversion {
  /**
   * How one stack ended, a value for each matrix.
   *
   * @param damping that was used
   * @param condition an upper bound of the condition number, NaN if the inversion failed
   * @param words what failed and what was done about it, null where all was well
   * @param failed whether there is no new inverse
   */
  public record InversionOutcome(
      double[] damping, double[] condition, String[] words, boolean[] failed) {
    /** Whether any matrix has no new inverse. */
    public boolean anyFailed() {
      return IntStream.range(0, failed.length).anyMatch(k -> failed[k]);
    }
  }

  private final Backend backend;
  private final InversePolicy policy;
  private final EigenInversion eigen;

  /** Inversions by a backend and a policy. */
  public RobustInversion(Backend backend, InversePolicy policy) {
    this.backend = backend;
    this.policy = policy;
    this.eigen = new EigenInversion(backend);
  }

  /** Runs all inversions; an outcome for each stack. */
  public List<InversionOutcome> invert(List<DampedStack> stacks) {
    List<InvertRequest> all = stacks.stream().map(DampedStack::inversion).toList();
    List<double[]> before = backend.traces(all.stream().map(InvertRequest::source).toList());
    List<double[]> old = new ArrayList<>();
    for (int i = 0; i < stacks.size(); i++) {
      old.add(old(stacks.get(i), before.get(i)));
    }
    List<Status[]> statuses = first(all);
    List<Fallbacks> tried = new ArrayList<>();
    for (int i = 0; i < stacks.size(); i++) {
      tried.add(new Fallbacks(backend, policy, stacks.get(i), statuses.get(i), old.get(i)));
    }
    List<double[]> after = backend.traces(all.stream().map(InvertRequest::inverse).toList());
    List<InversionOutcome> outcomes = new ArrayList<>();
    for (int i = 0; i < stacks.size(); i++) {
      outcomes.add(outcome(tried.get(i), before.get(i), after.get(i)));
    }
    return outcomes;
  }

  /**
   * Good inverses that may be overwritten by useless ones or get another exponent, null for all
   * others: only with a damping near the roundoff of the matrix can an error reach 1.
   */
  private static double[] old(DampedStack stack, double[] trace) {
    if (stack.old() == null) {
      return null;
    }
    InvertRequest inversion = stack.inversion();
    double roundoff = inversion.scale() * InverseAccuracy.roundoff(inversion.source());
    boolean risky =
        IntStream.range(0, trace.length)
            .anyMatch(k -> !(20 * roundoff * trace[k] < inversion.damping()[k]));
    return risky || stack.moved() ? stack.old().get() : null;
  }

  private List<Status[]> first(List<InvertRequest> all) {
    return switch (policy.method()) {
      case CHOLESKY -> backend.invert(all);
      case EIGEN -> eigen.invert(all);
      case NEWTON_SCHULZ -> new NewtonSchulz(backend, policy.residual()).invert(all);
    };
  }

  private InversionOutcome outcome(Fallbacks tried, double[] before, double[] after) {
    InvertRequest inversion = tried.stack().inversion();
    MatrixStack source = inversion.source();
    double[] condition = new double[source.count()];
    for (int k = 0; k < condition.length; k++) {
      double trace = inversion.scale() * before[k] + source.rows() * tried.damping()[k];
      condition[k] = tried.failed()[k] ? Double.NaN : trace * after[k];
    }
    String[] words = tried.words().clone();
    String[] decomposed = eigen.fallbacks(inversion);
    Arrays.setAll(words, k -> words[k] == null ? decomposed[k] : words[k]);
    double[] damping = tried.damping().clone();
    Arrays.setAll(damping, k -> Math.scalb(damping[k], tried.stack().exponent()));
    return new InversionOutcome(damping, condition, words, tried.failed());
  }
}
