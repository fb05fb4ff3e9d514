package io.github.kfac4j.backend;

import io.github.kfac4j.tensor.HostTensor;

/** Scans of host tensors, for backends that have no faster ones. */
public final class HostScan {
  private static final int CHUNK = 4096;

  private HostScan() {}

  /** The flat index of the first element that is not finite, or -1. */
  public static long firstNonFinite(HostTensor tensor) {
    double[] chunk = new double[Math.min(tensor.size(), CHUNK)];
    for (int start = 0; start < tensor.size(); start += CHUNK) {
      int n = Math.min(CHUNK, tensor.size() - start);
      tensor.read(start, chunk, 0, n);
      for (int i = 0; i < n; i++) {
        if (!Double.isFinite(chunk[i])) {
          return start + i;
        }
      }
    }
    return -1;
  }

  /** The largest absolute value, 0 if there is no element; NaN if one is NaN. */
  public static double largest(HostTensor tensor) {
    double largest = 0;
    double[] chunk = new double[Math.min(tensor.size(), CHUNK)];
    for (int start = 0; start < tensor.size(); start += CHUNK) {
      int n = Math.min(CHUNK, tensor.size() - start);
      tensor.read(start, chunk, 0, n);
      for (int i = 0; i < n; i++) {
        largest = Math.max(largest, Math.abs(chunk[i])); // NaN stays
      }
    }
    return largest;
  }
}
