package io.github.kfac4j;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.StateIdentity;
import io.github.kfac4j.curvature.StateMatrix;
import io.github.kfac4j.curvature.StateTensors;
import io.github.kfac4j.curvature.StoredElements;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads what {@link KfacState#toTensors} gave: checks all of it before any of it is used. */
final class SavedState {
  static final String STEP = "step";

  // with any interval added, still a whole number of fp64, as counters are saved
  private static final long MAX_STEPS = 1L << 52;
  private static final int LARGEST_EXPONENT = 2 * Double.MAX_EXPONENT;

  private final Map<String, StoredTensor> tensors;

  SavedState(Map<String, StoredTensor> tensors) {
    this.tensors = tensors;
  }

  /** The names of its layers. */
  List<String> layers() {
    String end = "." + StateIdentity.NAME;
    return tensors.keySet().stream()
        .filter(name -> name.endsWith(end))
        .map(name -> name.substring(0, name.length() - end.length()))
        .toList();
  }

  /** The number of steps. */
  long step() {
    long step = require(STEP, StoredTensor.of(new long[1])).asLongBuffer().get(0);
    if (step < 0 || step > MAX_STEPS) {
      throw new IllegalArgumentException(
          "the saved K-FAC state has %d steps, which must be from 0 to %d"
              .formatted(step, MAX_STEPS));
    }
    return step;
  }

  /**
   * Checks everything of some layers, and returns what then changes them.
   *
   * @throws IllegalArgumentException naming the layer or tensor and what is wrong
   */
  Runnable read(Map<String, LayerState> layers) {
    layers.forEach((name, layer) -> layer.identity.require(name, tensors.get(identity(name))));
    for (String name : layers()) {
      if (!layers.containsKey(name)) {
        throw new IllegalArgumentException(
            LayerState.prefix(name)
                + "is in the saved K-FAC state, but here are "
                + layers.keySet());
      }
    }
    Map<LayerState, List<StoredElements>> matrices = new LinkedHashMap<>();
    Map<LayerState, double[]> counters = new LinkedHashMap<>();
    layers.forEach(
        (name, layer) -> {
          double[] powers = exponents(layer);
          List<StoredElements> elements = new ArrayList<>();
          for (StateMatrix matrix : layer.matrices()) {
            String tensor = name + "." + matrix.key();
            elements.add(elements(tensor, matrix.stack(), (int) powers[elements.size()]));
          }
          matrices.put(layer, elements);
          counters.put(layer, counters(layer));
        });
    return () -> {
      counters.forEach((layer, values) -> layer.counters.set(values));
      matrices.forEach(LayerState::restore);
    };
  }

  /** Powers of two that matrices were divided by to be stored; there only if one is not 0. */
  private double[] exponents(LayerState layer) {
    double[] values = new double[layer.matrices().size()];
    String name = layer.name + "." + StateTensors.EXPONENTS;
    if (tensors.containsKey(name)) {
      require(name, StoredTensor.of(values, values.length)).asDoubleBuffer().get(values);
    }
    for (double value : values) {
      if (!(Math.abs(value) <= LARGEST_EXPONENT) || value != Math.rint(value)) {
        throw new IllegalArgumentException(
            "the saved K-FAC state has the exponent %s in '%s', which must be a whole number of at most %d"
                .formatted(value, name, LARGEST_EXPONENT));
      }
    }
    return values;
  }

  private static String identity(String layer) {
    return layer + "." + StateIdentity.NAME;
  }

  private double[] counters(LayerState layer) {
    double[] values = layer.counters.toArray();
    int count = values.length;
    String name = layer.name + "." + StateTensors.COUNTERS;
    // before bases could be stored as reflections there was nothing to count
    boolean older = Arrays.equals(present(name).shape(), new long[] {count - 2});
    int known = older ? count - 2 : count;
    Arrays.fill(values, 0);
    require(name, StoredTensor.of(new double[known], known)).asDoubleBuffer().get(values, 0, known);
    layer.requireCounters(values);
    return values;
  }

  private StoredTensor require(String name, StoredTensor like) {
    StoredTensor stored = present(name);
    if (stored.dtype() != like.dtype() || !Arrays.equals(stored.shape(), like.shape())) {
      throw new IllegalArgumentException(
          "the saved K-FAC state has '%s' as %s, expected %s".formatted(name, stored, like));
    }
    return stored;
  }

  private StoredElements elements(String name, MatrixStack stack, int exponent) {
    StoredTensor stored = present(name);
    double[] elements = StateTensors.load(name, stored, stack);
    for (int i = 0; i < elements.length; i++) {
      if (!Double.isFinite(Math.scalb(elements[i], exponent))) {
        throw new IllegalArgumentException(
            "the saved K-FAC state has %s in '%s' at flat index %d, which is not finite"
                .formatted(elements[i], name, i));
      }
    }
    return new StoredElements(elements, exponent, stored.dtype() == DType.F64);
  }

  private StoredTensor present(String name) {
    StoredTensor stored = tensors.get(name);
    if (stored == null) {
      throw new IllegalArgumentException("the saved K-FAC state has no tensor '" + name + "'");
    }
    return stored;
  }
}
