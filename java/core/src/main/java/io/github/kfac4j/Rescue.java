package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Inversion;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.oracle.JavaBackend;
import java.util.List;

/** What becomes of the matrices of one stack, remedies tried in the order of the policy. */
final class Rescue {
  private final Backend backend;
  private final InversePolicy policy;
  private final Inversion inversion;
  private final double[] damping;
  private final String[] words;
  private final boolean[] failed;

  Rescue(Backend backend, InversePolicy policy, Inversion inversion, Status[] statuses) {
    this.backend = backend;
    this.policy = policy;
    this.inversion = inversion;
    this.damping = inversion.damping().clone();
    this.words = new String[statuses.length];
    this.failed = new boolean[statuses.length];
    for (int k = 0; k < statuses.length; k++) {
      if (!statuses[k].ok()) {
        rescue(k, statuses[k]);
      }
    }
  }

  Inversion inversion() {
    return inversion;
  }

  /** The damping that was used. */
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

  private void rescue(int k, Status first) {
    Status status = first;
    if (status.kind() == Status.Kind.NOT_CONVERGED
        && policy.method() == InversePolicy.Method.NEWTON_SCHULZ) {
      status = backend.invert(List.of(inversion)).get(0)[k];
      words[k] = "residual too large";
      if (status.ok()) {
        words[k] += ", inverted by Cholesky";
        return;
      }
    }
    words[k] = (words[k] == null ? "" : words[k] + ", ") + status;
    if (status.kind() == Status.Kind.NOT_POSITIVE_DEFINITE) {
      double asked = inversion.damping()[k];
      for (int attempt = 1; attempt <= policy.escalations(); attempt++) {
        damping[k] = asked * Math.pow(policy.factor(), attempt);
        Inversion retry =
            new Inversion(inversion.source(), inversion.scale(), damping, inversion.inverse());
        if (backend.invert(List.of(retry)).get(0)[k].ok()) {
          words[k] += ", damping raised from " + asked + " to " + damping[k];
          return;
        }
      }
      damping[k] = asked;
      if (invertInDouble(k)) {
        words[k] += ", inverted in fp64";
        return;
      }
    }
    failed[k] = true;
  }

  /** Inverts one matrix with the fp64 backend; false if it fails there too. */
  private boolean invertInDouble(int k) {
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
}
