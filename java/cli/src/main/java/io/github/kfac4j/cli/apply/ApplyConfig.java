package io.github.kfac4j.cli.apply;

import io.github.kfac4j.Approximation;
import io.github.kfac4j.Convention;
import io.github.kfac4j.DampingMode;
import io.github.kfac4j.KfacOptions;
import io.github.kfac4j.layer.Layer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The configuration file, field by field; null where it says nothing. */
record ApplyConfig(
    List<LayerConfig> layers,
    Double damping,
    String dampingMode,
    String convention,
    String approximation,
    Double klClip,
    Double learningRate,
    Double decay) {

  /**
   * The settings, defaults filled in.
   *
   * @throws IllegalArgumentException naming the field and its value
   */
  KfacOptions options() {
    Approximation blocks =
        choice("approximation", approximation, Approximation.values(), Approximation.KRONECKER);
    DampingMode mode =
        choice("damping_mode", dampingMode, DampingMode.values(), DampingMode.FACTORED);
    double rate = learningRate == null ? 1 : learningRate;
    KfacOptions options =
        KfacOptions.DEFAULT
            .withIntervals(1, 1)
            .withDamping(damping == null ? KfacOptions.DEFAULT.damping() : damping)
            .withDampingMode(mode)
            .withApproximation(blocks)
            .withConvention(convention == null ? Convention.KFC : Convention.of(convention))
            .withDecay(decay == null ? 0 : decay)
            .withLearningRate(rate);
    return klClip == null ? options : options.withKlClip(klClip, rate);
  }

  private static <E extends Enum<E>> E choice(String field, String name, E[] values, E other) {
    if (name == null) {
      return other;
    }
    return Arrays.stream(values)
        .filter(value -> id(value).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "unknown %s '%s'; known are %s"
                        .formatted(
                            field, name, Arrays.stream(values).map(ApplyConfig::id).toList())));
  }

  private static String id(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  /**
   * The layers by name, in the file's order.
   *
   * @throws IllegalArgumentException naming the layer and what is wrong with it
   */
  Map<String, Layer> layersByName() {
    if (layers == null || layers.isEmpty()) {
      throw new IllegalArgumentException("'layers' is missing or empty");
    }
    Map<String, Layer> byName = new LinkedHashMap<>();
    for (int i = 0; i < layers.size(); i++) {
      LayerConfig config = layers.get(i);
      if (config == null || config.name() == null || config.name().isBlank()) {
        throw new IllegalArgumentException("layers[%d]: 'name' is missing".formatted(i));
      }
      if (byName.put(config.name(), layer(config)) != null) {
        throw new IllegalArgumentException("layer '%s' is there twice".formatted(config.name()));
      }
    }
    return byName;
  }

  private static Layer layer(LayerConfig config) {
    try {
      Layer layer = config.layer();
      requireSize(layer.groups(), layer.inputDim());
      requireSize(layer.groups(), layer.outputDim());
      return layer;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("layer '" + config.name() + "': " + e.getMessage(), e);
    }
  }

  /** Refuses factors with more elements than an array can hold; a dim below 1 has overflowed. */
  private static void requireSize(int groups, int dim) {
    if (dim < 1 || (double) groups * dim * dim > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "too large: %d factor(s) of %d x %d".formatted(groups, dim, dim));
    }
  }
}
