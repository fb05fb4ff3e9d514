package io.github.kfac4j.apply;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What one layer has in the input file.
 *
 * @param dtype in which its results are written: F64 if the first input has it, or, where that is
 *     token numbers, if the weight gradient has; otherwise F32
 * @param uses what the layer saw, once for each use
 * @param weightGrad replaced in place by the preconditioned gradient, as is {@code biasGrad}
 * @param biasGrad null for a layer without bias
 */
record LayerTensors(
    String layer, DType dtype, List<Observation> uses, HostTensor weightGrad, HostTensor biasGrad) {
  static final String INPUT = ".input";
  static final String OUTPUT_GRAD = ".output_grad";
  static final String WEIGHT_GRAD = ".weight_grad";
  static final String BIAS_GRAD = ".bias_grad";

  private static final Set<DType> FLOATING =
      Collections.unmodifiableSet(EnumSet.of(DType.F16, DType.BF16, DType.F32, DType.F64));

  /** What token numbers come in. */
  private static final Set<DType> FLOATING_OR_WHOLE =
      Collections.unmodifiableSet(
          EnumSet.of(
              DType.F16,
              DType.BF16,
              DType.F32,
              DType.F64,
              DType.U8,
              DType.I8,
              DType.I16,
              DType.U16,
              DType.I32,
              DType.U32,
              DType.I64));

  private static final int MAX_DIGITS = 9; // of the number of a use

  /** A tensor's ending, with the number of the use from the second on. */
  static final Pattern ENDING =
      Pattern.compile("\\.((input|output_grad)(_\\d+)?|weight_grad|bias_grad)\\z");

  /**
   * Finds a layer's tensors and checks their types and shapes.
   *
   * @throws IllegalArgumentException naming the tensor and what is wrong with it
   */
  static LayerTensors of(String name, Layer layer, Map<String, StoredTensor> tensors) {
    List<Observation> uses = new ArrayList<>();
    uses.add(use(name, "", layer, tensors));
    for (int k = 2; tensors.containsKey(name + INPUT + "_" + k); k++) {
      uses.add(use(name, "_" + k, layer, tensors));
    }
    requireNoOtherUse(name, uses.size(), tensors.keySet());
    DType dtype = resultType(tensors.get(name + INPUT).dtype(), tensors.get(name + WEIGHT_GRAD));
    HostTensor weightGrad = gradient(name, WEIGHT_GRAD, tensors, layer.weightShape(), dtype);
    HostTensor biasGrad = null;
    if (layer.bias()) {
      biasGrad = gradient(name, BIAS_GRAD, tensors, layer.biasShape(), dtype);
    } else if (tensors.containsKey(name + BIAS_GRAD)) {
      throw new IllegalArgumentException(
          "layer '%s' has no bias, but there is a tensor '%s'".formatted(name, name + BIAS_GRAD));
    }
    return new LayerTensors(name, dtype, uses, weightGrad, biasGrad);
  }

  /** Refuses numbered tensors beyond the uses that were found: they would be left out. */
  private static void requireNoOtherUse(String layer, int uses, Set<String> tensors) {
    for (String tensor : tensors) {
      Matcher ending = ENDING.matcher(tensor);
      if (!ending.find()
          || ending.group(3) == null
          || !tensor.substring(0, ending.start()).equals(layer)) {
        continue;
      }
      String number = ending.group(3).substring(1);
      if (number.startsWith("0") || number.equals("1")) {
        throw new IllegalArgumentException(
            "layer '%s': tensor '%s' is not used: further uses are _2, _3 and so on"
                .formatted(layer, tensor));
      }
      if (number.length() > MAX_DIGITS || Integer.parseInt(number) > uses) {
        throw new IllegalArgumentException(
            "layer '%s': tensor '%s' is there, but '%s' is missing; further uses are _2, _3 and so on"
                .formatted(layer, tensor, layer + INPUT + "_" + (uses + 1)));
      }
    }
  }

  private static DType resultType(DType input, StoredTensor weightGrad) {
    boolean whole = !FLOATING.contains(input);
    DType deciding = whole && weightGrad != null ? weightGrad.dtype() : input;
    return deciding == DType.F64 ? DType.F64 : DType.F32;
  }

  private static Observation use(
      String name, String number, Layer layer, Map<String, StoredTensor> tensors) {
    Set<DType> readable = layer.takesTokens() ? FLOATING_OR_WHOLE : FLOATING;
    HostTensor input = host(name, INPUT + number, tensors, readable);
    HostTensor outputGrad = host(name, OUTPUT_GRAD + number, tensors, FLOATING);
    try {
      layer.use(input, outputGrad);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("layer '%s': %s".formatted(name, e.getMessage()), e);
    }
    return Observation.ofSumLoss(name, input, outputGrad);
  }

  LayerGradient gradient() {
    return new LayerGradient(layer, weightGrad, biasGrad);
  }

  private static HostTensor gradient(
      String layer, String suffix, Map<String, StoredTensor> tensors, Shape expected, DType dtype) {
    HostTensor gradient = host(layer, suffix, tensors, FLOATING);
    if (!gradient.shape().equals(expected)) {
      throw new IllegalArgumentException(
          "layer '%s': tensor '%s' has shape %s, expected %s"
              .formatted(layer, layer + suffix, gradient.shape(), expected));
    }
    if (dtype == DType.F64 && !gradient.isDouble()) {
      return HostTensor.of(gradient.toArray(), extents(tensors.get(layer + suffix)));
    }
    return gradient;
  }

  private static HostTensor host(
      String layer, String suffix, Map<String, StoredTensor> tensors, Set<DType> readable) {
    StoredTensor tensor = tensors.get(layer + suffix);
    if (tensor == null) {
      throw new IllegalArgumentException(
          "layer '%s': tensor '%s' is missing".formatted(layer, layer + suffix));
    }
    if (!readable.contains(tensor.dtype())) {
      throw new IllegalArgumentException(
          "layer '%s': tensor '%s' has dtype %s, expected one of %s"
              .formatted(layer, layer + suffix, tensor.type(), readable));
    }
    try {
      return host(tensor);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "layer '%s': tensor '%s': %s".formatted(layer, layer + suffix, e.getMessage()), e);
    }
  }

  private static HostTensor host(StoredTensor tensor) {
    return switch (tensor.dtype()) {
      case F32 -> HostTensor.of(tensor.asFloatBuffer(), extents(tensor));
      case F64 -> HostTensor.of(tensor.asDoubleBuffer(), extents(tensor));
      case F16, BF16 -> HostTensor.of(floats(tensor.toDoubles()), extents(tensor));
      default -> HostTensor.of(tensor.toDoubles(), extents(tensor));
    };
  }

  /** Exact for what was 16 bits before. */
  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  private static int[] extents(StoredTensor tensor) {
    long[] shape = tensor.shape();
    int[] extents = new int[shape.length];
    for (int i = 0; i < extents.length; i++) {
      // beyond the range only if another extent is 0: an empty batch, which is refused anyway
      extents[i] = (int) Math.min(shape[i], Integer.MAX_VALUE);
    }
    return extents;
  }
}
