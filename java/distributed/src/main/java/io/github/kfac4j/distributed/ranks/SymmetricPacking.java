package io.github.kfac4j.distributed.ranks;

/**
 * Symmetric matrices as their lower triangles: element (r, c), c at most r, at index r (r + 1) / 2
 * + c.
 */
public final class SymmetricPacking {
  private SymmetricPacking() {}

  /** The elements of a packed matrix of dimension n. */
  public static int size(int n) {
    return Math.toIntExact((long) n * (n + 1) / 2);
  }

  /**
   * Packs matrix after matrix.
   *
   * @param matrices {@code [count, n, n]}
   */
  public static float[] pack(double[] matrices, int n, double scale) {
    int count = matrices.length / (n * n);
    float[] packed = new float[Math.multiplyExact(count, size(n))];
    int next = 0;
    for (int row = 0; row < count * n; row++) {
      for (int col = 0; col <= row % n; col++) {
        packed[next++] = (float) (scale * matrices[row * n + col]);
      }
    }
    return packed;
  }

  /** The inverse of {@link #pack} with scale 1. */
  public static double[] unpack(float[] packed, int n) {
    int count = packed.length / size(n);
    double[] matrices = new double[Math.multiplyExact(count, n * n)];
    int next = 0;
    for (int k = 0; k < count; k++) {
      int start = k * n * n;
      for (int row = 0; row < n; row++) {
        for (int col = 0; col <= row; col++) {
          matrices[start + row * n + col] = packed[next];
          matrices[start + col * n + row] = packed[next++];
        }
      }
    }
    return matrices;
  }
}
