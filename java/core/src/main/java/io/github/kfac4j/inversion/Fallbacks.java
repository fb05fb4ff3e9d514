package io.github.kfac4j.inversion;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.options.InversePolicy;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The outcome of the matrices of one stack, fallbacks tried in the order of the policy. */
final class Fallbacks {
  private final Backend backend;
  private final InversePolicy policy;
  private final DampedStack stack;
  private final InvertRequest inversion;
  private final double[] damping;
  private final String[] words;
  private final boolean[] failed;

  /**
   * Tries one fallback after another.
   *
   * @param old the inverses before those of the statuses; null if they are not worth keeping, or
   *     cannot have been lost
   */
  Fallbacks(
      Backend backend, InversePolicy policy, DampedStack stack, Status[] statuses, double[] old) {
    this.backend = backend;
    this.policy = policy;
    this.stack = stack;
    this.inversion = stack.inversion();
    this.damping = inversion.damping().clone();
    this.words = new String[statuses.length];
    this.failed = new boolean[statuses.length];
    for (int k = 0; k < statuses.length; k++) {
      if (!statuses[k].ok()) {
        failed[k] = !recover(k, statuses[k]);
      }
      if (failed[k] && old != null) {
        Stacks.put(inversion.inverse(), k, Arrays.copyOfRange(old, k * size(), (k + 1) * size()));
      }
    }
    if (old != null
        && stack.moved()
        && IntStream.range(0, failed.length).anyMatch(k -> failed[k])) {
      keepAll(old);
    }
  }

  /** New inverses have no room beside old ones of another exponent. */
  private void keepAll(double[] old) {
    inversion.inverse().set(old);
    for (int k = 0; k < failed.length; k++) {
      if (!failed[k]) {
        say(k, "given up with that of another group");
        failed[k] = true;
      }
    }
  }

  DampedStack stack() {
    return stack;
  }

  /** The damping that was used, divided like the matrices. */
  double[] damping() {
    return damping;
  }

  /** What happened, null where all was well. */
  String[] words() {
    return words;
  }

  /** Whether there is no new inverse. */
  boolean[] failed() {
    return failed;
  }

  private int size() {
    return inversion.source().rows() * inversion.source().cols();
  }

  /** Whether a matrix has a new inverse that can be used. */
  private boolean recover(int k, Status first) {
    Status status = first;
    if (policy.method() != InversePolicy.Method.CHOLESKY
        && (status.kind() == Status.Kind.NOT_CONVERGED
            || status.kind() == Status.Kind.INACCURATE)) {
      boolean missed =
          status.kind() == Status.Kind.NOT_CONVERGED
              && policy.method() == InversePolicy.Method.NEWTON_SCHULZ;
      say(k, missed ? "residual too large" : status.toString());
      status = invert(k);
      if (usable(status)) {
        say(k, "inverted by Cholesky");
      }
      if (status.ok()) {
        return true;
      }
    }
    say(k, status.toString());
    if (usable(status)) {
      return true;
    }
    boolean illConditioned =
        status.kind() == Status.Kind.NOT_POSITIVE_DEFINITE
            || status.kind() == Status.Kind.INACCURATE;
    return illConditioned && raiseDamping(k);
  }

  /**
   * An error below 1 leaves the inverse positive definite, and the step a descent direction; it is
   * used, and the report tells its error.
   */
  private static boolean usable(Status status) {
    return status.ok() || status.kind() == Status.Kind.INACCURATE && status.error() < 1;
  }

  private boolean raiseDamping(int k) {
    double asked = inversion.damping()[k];
    for (int attempt = 1; attempt <= policy.escalations(); attempt++) {
      damping[k] = asked * Math.pow(policy.factor(), attempt);
      Status status = invert(k);
      if (usable(status)) {
        double from = Math.scalb(asked, stack.exponent());
        double to = Math.scalb(damping[k], stack.exponent());
        say(k, "damping raised from " + from + " to " + to);
        if (!status.ok()) {
          say(k, status.toString());
        }
        return true;
      }
    }
    damping[k] = asked;
    return false;
  }

  private void say(int k, String more) {
    words[k] = words[k] == null ? more : words[k] + ", " + more;
  }

  /** Inverts one matrix alone; what cannot be used is dropped. */
  private Status invert(int k) {
    int n = inversion.source().rows();
    try (MatrixStack source = backend.allocate(1, n, n);
        MatrixStack inverse = backend.allocate(1, n, n)) {
      source.set(Stacks.get(inversion.source(), k));
      InvertRequest request =
          new InvertRequest(source, inversion.scale(), new double[] {damping[k]}, inverse);
      Status status = backend.invert(List.of(request)).get(0)[0];
      if (usable(status)) {
        Stacks.put(inversion.inverse(), k, inverse.toArray());
      }
      return status;
    }
  }
}
