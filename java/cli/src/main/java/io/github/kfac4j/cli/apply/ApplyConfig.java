package io.github.kfac4j.cli.apply;

import static io.github.kfac4j.cli.apply.Fields.choice;
import static io.github.kfac4j.cli.apply.Fields.orElse;

import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The configuration file, field by field; null where it says nothing. */
record ApplyConfig(
    List<LayerConfig> layers,
    Double damping,
    String dampingMode,
    String convention,
    String fisher,
    String approximation,
    Double klClip,
    Double learningRate,
    Double decay,
    String inverseMethod) {

  /**
   * The settings, defaults filled in.
   *
   * @throws IllegalArgumentException naming the field and its value
   */
  KfacOptions options() {
    Approximation blocks =
        orElse(
            choice("approximation", approximation, Approximation.class), Approximation.KRONECKER);
    DampingMode mode =
        orElse(choice("damping_mode", dampingMode, DampingMode.class), DampingMode.FACTORED);
    double rate = orElse(learningRate, 1.0);
    KfacOptions options =
        KfacOptions.DEFAULT
            .withIntervals(1, 1)
            .withDamping(orElse(damping, KfacOptions.DEFAULT.damping()))
            .withDampingMode(mode)
            .withApproximation(blocks)
            .withConvention(convention == null ? Convention.KFC : Convention.of(convention))
            .withEstimator(
                fisher == null ? Fisher.Estimator.EMPIRICAL : Fisher.Estimator.of(fisher))
            .withDecay(orElse(decay, 0.0))
            .withoutKlClip()
            .withInversePolicy(
                InversePolicy.DEFAULT.withMethod(
                    orElse(
                        choice("inverse_method", inverseMethod, InversePolicy.Method.class),
                        InversePolicy.Method.CHOLESKY)));
    for (LayerConfig layer : orElse(layers, List.<LayerConfig>of())) {
      Approximation own =
          choice(
              "approximation of layer '" + layer.name() + "'",
              layer.approximation(),
              Approximation.class);
      options = own == null ? options : options.withApproximation(layer.name(), own);
    }
    if (!blocks.dampingModes().contains(DampingMode.EXACT)) {
      options = options.withDampingMode(mode); // refuses exact, which it does not have
    }
    return klClip == null ? options.withLearningRate(rate) : options.withKlClip(klClip, rate);
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
        throw new IllegalArgumentException("layer '%s' is given twice".formatted(config.name()));
      }
    }
    return byName;
  }

  private static Layer layer(LayerConfig config) {
    try {
      return config.layer();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("layer '" + config.name() + "': " + e.getMessage(), e);
    }
  }
}
