package io.github.kfac4j.trainer;

import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Arithmetic on named tensors, in their own precision; sums in fp64. */
final class Tensors {
  private static final int CHUNK = 8192;

  private Tensors() {}

  /** New zeros in the shapes and types of others. */
  static Map<String, HostTensor> zerosLike(Map<String, HostTensor> tensors) {
    return map(
        tensors,
        t ->
            t.isDouble()
                ? HostTensor.of(new double[t.size()], extents(t))
                : HostTensor.of(new float[t.size()], extents(t)));
  }

  static Map<String, HostTensor> copy(Map<String, HostTensor> tensors) {
    Map<String, HostTensor> copy = zerosLike(tensors);
    combine(copy, 0, tensors, 1);
    return copy;
  }

  private static Map<String, HostTensor> map(
      Map<String, HostTensor> tensors, UnaryOperator<HostTensor> function) {
    Map<String, HostTensor> result = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> result.put(name, function.apply(tensor)));
    return result;
  }

  private static int[] extents(HostTensor tensor) {
    Shape shape = tensor.shape();
    int[] extents = new int[shape.rank()];
    Arrays.setAll(extents, shape::get);
    return extents;
  }

  /** {@code y = beta y + alpha x}, where beta 0 forgets y even if it is not finite. */
  static void combine(
      Map<String, HostTensor> y, double beta, Map<String, HostTensor> x, double alpha) {
    y.forEach((name, target) -> combine(target, beta, x.get(name), alpha));
  }

  static void combine(HostTensor y, double beta, HostTensor x, double alpha) {
    if (y.isDouble() || x.isDouble()) {
      combineDoubles(y, beta, x, alpha);
      return;
    }
    float a = (float) alpha;
    float b = (float) beta;
    float[] yChunk = new float[CHUNK];
    float[] xChunk = new float[CHUNK];
    for (int from = 0; from < y.size(); from += CHUNK) {
      int n = Math.min(CHUNK, y.size() - from);
      x.read(from, FloatBuffer.wrap(xChunk, 0, n));
      if (b == 0) {
        for (int i = 0; i < n; i++) {
          yChunk[i] = a * xChunk[i];
        }
      } else {
        y.read(from, FloatBuffer.wrap(yChunk, 0, n));
        for (int i = 0; i < n; i++) {
          yChunk[i] = b * yChunk[i] + a * xChunk[i];
        }
      }
      y.write(from, FloatBuffer.wrap(yChunk, 0, n));
    }
  }

  private static void combineDoubles(HostTensor y, double beta, HostTensor x, double alpha) {
    double[] yChunk = new double[CHUNK];
    double[] xChunk = new double[CHUNK];
    for (int from = 0; from < y.size(); from += CHUNK) {
      int n = Math.min(CHUNK, y.size() - from);
      x.read(from, xChunk, 0, n);
      y.read(from, yChunk, 0, n);
      for (int i = 0; i < n; i++) {
        yChunk[i] = (beta == 0 ? 0 : beta * yChunk[i]) + alpha * xChunk[i];
      }
      y.write(from, yChunk, 0, n);
    }
  }

  static double dot(Map<String, HostTensor> x, Map<String, HostTensor> y) {
    double sum = 0;
    for (Map.Entry<String, HostTensor> entry : x.entrySet()) {
      sum += dot(entry.getValue(), y.get(entry.getKey()));
    }
    return sum;
  }

  static double dot(HostTensor x, HostTensor y) {
    double[] xChunk = new double[CHUNK];
    double[] yChunk = new double[CHUNK];
    double sum = 0;
    for (int from = 0; from < x.size(); from += CHUNK) {
      int n = Math.min(CHUNK, x.size() - from);
      x.read(from, xChunk, 0, n);
      y.read(from, yChunk, 0, n);
      for (int i = 0; i < n; i++) {
        sum += xChunk[i] * yChunk[i];
      }
    }
    return sum;
  }

  /**
   * {@code W *= sqrt(2 d) / (|W| + 1e-9)} for a weight of rank 2 or more with d outputs, if that
   * makes it smaller (Osawa et al. 2019).
   */
  static void shrink(HostTensor weight) {
    if (weight.shape().rank() < 2) {
      return;
    }
    double norm = Math.sqrt(dot(weight, weight)) + 1e-9;
    double factor = Math.sqrt(2.0 * weight.shape().get(0)) / norm;
    if (factor < 1) {
      combine(weight, factor, weight, 0);
    }
  }

  /** Copies for a file, their names behind a prefix. */
  static void store(Map<String, HostTensor> from, String prefix, Map<String, StoredTensor> to) {
    from.forEach(
        (name, tensor) -> {
          long[] shape = Arrays.stream(extents(tensor)).asLongStream().toArray();
          if (tensor.isDouble()) {
            to.put(prefix + name, StoredTensor.of(tensor.toArray(), shape));
          } else {
            float[] values = new float[tensor.size()];
            tensor.read(0, FloatBuffer.wrap(values));
            to.put(prefix + name, StoredTensor.of(values, shape));
          }
        });
  }

  /**
   * Checks that {@link #restore} would succeed.
   *
   * @throws IllegalArgumentException naming the first tensor that is missing, does not fit or is
   *     not finite
   */
  static void requireStored(
      Map<String, HostTensor> to, String prefix, Map<String, StoredTensor> from) {
    Map<String, StoredTensor> expected = new LinkedHashMap<>();
    store(to, prefix, expected);
    expected.forEach((name, like) -> requireFinite(name, requireStored(name, like, from)));
  }

  private static void requireFinite(String name, StoredTensor stored) {
    double[] values = stored.toDoubles();
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        throw new IllegalArgumentException(
            "the saved optimizer state has %s in '%s' at flat index %d, which is not finite"
                .formatted(values[i], name, i));
      }
    }
  }

  static StoredTensor requireStored(
      String name, StoredTensor like, Map<String, StoredTensor> from) {
    StoredTensor stored = from.get(name);
    if (stored == null || !stored.toString().equals(like.toString())) {
      throw new IllegalArgumentException(
          "the saved optimizer state has %s for '%s', expected %s"
              .formatted(stored == null ? "nothing" : stored, name, like));
    }
    return stored;
  }

  /** Overwrites tensors by what {@link #store} gave. */
  static void restore(Map<String, HostTensor> to, String prefix, Map<String, StoredTensor> from) {
    to.forEach(
        (name, tensor) -> {
          StoredTensor stored = from.get(prefix + name);
          double[] values = stored.toDoubles();
          tensor.write(0, values, 0, values.length);
        });
  }
}
