package io.github.kfac4j.distributed.exchange;

/** Conversions between precisions. */
public final class Conversions {
  private Conversions() {}

  public static float[] toFloats(double[] values, double scale) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) (scale * values[i]);
    }
    return floats;
  }

  public static double[] toDoubles(float[] values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < doubles.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }
}
