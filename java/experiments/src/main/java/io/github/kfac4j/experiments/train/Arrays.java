package io.github.kfac4j.experiments.train;

import ai.djl.ndarray.NDArray;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.Map;

/** DJL arrays seen as tensors. */
final class Arrays {
  private Arrays() {}

  /** Tensors over the memory of the arrays, without a copy; valid while the arrays are. */
  static Map<String, StoredTensor> views(Map<String, NDArray> arrays) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    arrays.forEach(
        (name, array) -> {
          DType dtype =
              switch (array.getDataType()) {
                case FLOAT32 -> DType.F32;
                case INT64 -> DType.I64;
                default -> throw new IllegalArgumentException(name + ": " + array.getDataType());
              };
          long[] shape = array.getShape().getShape();
          tensors.put(name, StoredTensor.of(dtype, array.toByteBuffer(true), shape));
        });
    return tensors;
  }

  /** Host tensors over the memory of fp32 arrays, without a copy; valid while the arrays are. */
  static Map<String, HostTensor> hostViews(Map<String, NDArray> arrays) {
    Map<String, HostTensor> tensors = new LinkedHashMap<>();
    arrays.forEach(
        (name, array) -> {
          long[] shape = array.getShape().getShape();
          tensors.put(
              name,
              HostTensor.of(
                  array.toByteBuffer(true).asFloatBuffer(),
                  java.util.Arrays.stream(shape).mapToInt(Math::toIntExact).toArray()));
        });
    return tensors;
  }

  /**
   * Overwrites the content of the arrays by that of the tensors of the same names.
   *
   * @throws BadInputException naming the first that is missing, does not fit or is not finite; the
   *     arrays are unchanged then
   */
  static void restore(Map<String, NDArray> arrays, Map<String, StoredTensor> tensors) {
    Map<String, StoredTensor> targets = views(arrays);
    targets.forEach(
        (name, target) -> {
          StoredTensor source = tensors.get(name);
          if (source == null || !source.toString().equals(target.toString())) {
            throw new BadInputException(
                "the checkpoint has %s for '%s', expected %s"
                    .formatted(source == null ? "nothing" : source, name, target));
          }
          requireFinite(name, source);
        });
    targets.forEach((name, target) -> target.data().put(tensors.get(name).data()));
  }

  private static void requireFinite(String name, StoredTensor tensor) {
    double[] values = tensor.toDoubles();
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        throw new BadInputException(
            "the checkpoint has %s in '%s' at flat index %d, which is not finite"
                .formatted(values[i], name, i));
      }
    }
  }
}
