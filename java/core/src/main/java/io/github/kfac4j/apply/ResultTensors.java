package io.github.kfac4j.apply;

import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Collects the tensors of the output file. */
final class ResultTensors {
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

  Map<String, StoredTensor> asMap() {
    return Collections.unmodifiableMap(tensors);
  }

  /** Adds a tensor of the given type and the shape of {@code values}. */
  void add(String name, DType dtype, HostTensor values) {
    Shape shape = values.shape();
    long[] extents = new long[shape.rank()];
    for (int i = 0; i < extents.length; i++) {
      extents[i] = shape.get(i);
    }
    add(name, dtype, values.toArray(), extents);
  }

  /**
   * Adds a tensor.
   *
   * @throws IllegalArgumentException if a value is beyond the range of the type
   */
  void add(String name, DType dtype, double[] values, long... shape) {
    float[] floats = new float[dtype == DType.F32 ? values.length : 0];
    for (int i = 0; i < values.length; i++) {
      double rounded = values[i];
      if (dtype == DType.F32) {
        floats[i] = (float) values[i];
        rounded = floats[i];
      }
      if (!Double.isFinite(rounded)) {
        throw new IllegalArgumentException(
            "the result '%s' is beyond the range of %s at flat index %d; scale the loss or raise the damping"
                .formatted(name, dtype, i));
      }
    }
    tensors.put(
        name, dtype == DType.F32 ? StoredTensor.of(floats, shape) : StoredTensor.of(values, shape));
  }
}
