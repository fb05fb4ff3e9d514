package io.github.kfac4j.cli.apply;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** One step of K-FAC from factors that this batch alone determines. */
final class Application {
  private final Map<String, Layer> layers;
  private final KfacOptions options;

  Application(Map<String, Layer> layers, KfacOptions options) {
    this.layers = layers;
    this.options = options;
  }

  /** The tensors to be written, and what was done. */
  record Result(Map<String, StoredTensor> tensors, List<LayerReport> layers, StepReport step) {}

  /**
   * Computes everything.
   *
   * @throws BadInputException naming the layer, and the tensor that is missing or does not fit
   * @throws io.github.kfac4j.data.InversionFailedException if a factor cannot be inverted
   */
  Result run(Backend backend, Map<String, StoredTensor> tensors) {
    try (Kfac kfac = new Kfac(backend, layers, options)) { // refuses what is too large
      List<LayerTensors> inputs =
          layers.entrySet().stream()
              .map(entry -> LayerTensors.of(entry.getKey(), entry.getValue(), tensors))
              .toList();
      kfac.observe(observations(inputs, approximation -> true));
      List<LayerReport> reports = kfac.refresh();
      // moments in the basis that refresh() has just made
      kfac.observe(observations(inputs, Approximation::measuresBetweenRefreshes));
      StepReport step = kfac.precondition(inputs.stream().map(LayerTensors::gradient).toList());
      return new Result(collect(kfac, inputs), reports, step);
    } catch (IllegalArgumentException e) { // the library's checks name layer, tensor and value
      throw new BadInputException(e.getMessage(), e);
    }
  }

  private List<Observation> observations(
      List<LayerTensors> inputs, Predicate<Approximation> chosen) {
    return inputs.stream()
        .filter(in -> chosen.test(options.approximationOf(in.layer())))
        .flatMap(in -> in.uses().stream())
        .toList();
  }

  private Map<String, StoredTensor> collect(Kfac kfac, List<LayerTensors> inputs) {
    OutputTensors out = new OutputTensors();
    for (LayerTensors in : inputs) {
      String name = in.layer();
      Layer layer = layers.get(name);
      for (String factor : kfac.state().factors(name)) {
        double[] values = kfac.state().factor(name, factor);
        out.add(name + "." + factor, in.dtype(), values, shape(layer, factor, values.length));
      }
      out.add(name + LayerTensors.WEIGHT_GRAD, in.dtype(), in.weightGrad());
      if (in.biasGrad() != null) {
        out.add(name + LayerTensors.BIAS_GRAD, in.dtype(), in.biasGrad());
      }
    }
    return out.asMap();
  }

  private static long[] shape(Layer layer, String factor, int elements) {
    if (layer.diagonalInput() && factor.equals("A")) {
      return new long[] {elements};
    }
    int n = (int) Math.round(Math.sqrt((double) elements / layer.groups()));
    return layer.groups() == 1 ? new long[] {n, n} : new long[] {layer.groups(), n, n};
  }
}
