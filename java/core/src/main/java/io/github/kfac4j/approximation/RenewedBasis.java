package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import java.util.Arrays;

/** What came of the renewal of one factor's bases, and what the moments learn from it. */
final class RenewedBasis {
  private final RenewRequest request;
  private final Renewal[] renewals;
  private final double[] traces;

  /** For each group; null where there were no vectors before. */
  private final MomentRotation[] rotations;

  RenewedBasis(RenewRequest request, Renewal[] renewals, double[] traces) {
    this.request = request;
    this.renewals = renewals;
    this.traces = traces;
    this.rotations = new MomentRotation[renewals.length];
    for (int k = 0; k < rotations.length; k++) {
      rotations[k] =
          renewals[k].rotation() == null ? null : MomentRotation.of(renewals[k], traces[k]);
    }
  }

  boolean accepted() {
    return renewals[0].accepted(); // all or none
  }

  Basis basis() {
    return request.renewed();
  }

  int groups() {
    return renewals.length;
  }

  /** The largest eigenvalue of a factor. */
  double largest(int k) {
    return Arrays.stream(renewals[k].values()).max().orElse(0);
  }

  /**
   * The largest beyond the leading vectors, which is at most the least of those; 0 if there is
   * none.
   */
  double beyond(int k) {
    double[] d = renewals[k].values();
    return d.length < request.basis().dim() ? Math.max(0, d[d.length - 1]) : 0;
  }

  /** Whether the old basis had no larger share beyond the diagonal. */
  boolean canFollow(double mostShare) {
    return Arrays.stream(rotations)
        .allMatch(rotation -> rotation != null && rotation.oldShare() <= mostShare);
  }

  /** Rotates the columns of {@code [groups, rows, n]}. */
  void rotateColumns(double[] moments, int rows) {
    int n = request.basis().dim();
    for (int k = 0; k < rotations.length; k++) {
      rotations[k].columns(moments, k * rows * n, rows, n);
    }
  }

  /** Rotates the rows of {@code [groups, n, cols]}. */
  void rotateRows(double[] moments, int cols) {
    int n = request.basis().dim();
    for (int k = 0; k < rotations.length; k++) {
      rotations[k].rows(moments, k * n * cols, n, cols);
    }
  }

  /**
   * The diagonals in the new bases, those beyond the leading vectors all alike: {@code scale A}.
   */
  double[] values(double scale) {
    int n = request.basis().dim();
    double[] all = new double[renewals.length * n];
    for (int k = 0; k < renewals.length; k++) {
      double[] d = renewals[k].values();
      double rest = Math.max(0, traces[k] - Arrays.stream(d).sum()) / Math.max(1, n - d.length);
      for (int i = 0; i < n; i++) {
        all[k * n + i] = scale * (i < d.length ? d[i] : rest);
      }
    }
    return all;
  }
}
