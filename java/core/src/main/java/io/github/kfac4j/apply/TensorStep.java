package io.github.kfac4j.apply;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;

/**
 * One step of K-FAC from factors that one batch alone determines.
 *
 * <p>Of each layer there are {@code NAME.input}, {@code NAME.output_grad} (per-example gradients of
 * the summed loss with respect to the layer's output), {@code NAME.weight_grad} and, if it has a
 * bias, {@code NAME.bias_grad}; of further uses in the same pass {@code NAME.input_2}, {@code
 * NAME.output_grad_2} and so on. F16, BF16, F32 and F64 are read, for token numbers integers too.
 */
public final class TensorStep {
  private final Map<String, Layer> layers;
  private final KfacOptions options;

  /**
   * A step of these layers.
   *
   * @param layers by name
   */
  public TensorStep(Map<String, Layer> layers, KfacOptions options) {
    this.layers = layers;
    this.options = options;
  }

  /**
   * What came of a step.
   *
   * @param tensors {@code NAME.A}, {@code NAME.G} or what else the layer's factors are called,
   *     undamped, and the preconditioned {@code NAME.weight_grad} and {@code NAME.bias_grad}; F64
   *     where the input is, else F32
   */
  public record Result(
      Map<String, StoredTensor> tensors, List<LayerReport> layers, StepReport step) {}

  /**
   * The name of the layer that a tensor belongs to; empty if a step does not read it.
   *
   * @param tensor its name
   */
  public static Optional<String> layerOf(String tensor) {
    Matcher ending = LayerTensors.ENDING.matcher(tensor);
    return ending.find() ? Optional.of(tensor.substring(0, ending.start())) : Optional.empty();
  }

  /**
   * Computes everything. The memory of the gradients is written over.
   *
   * @throws IllegalArgumentException naming the layer, and the tensor that is missing or does not
   *     fit
   * @throws io.github.kfac4j.data.InversionFailedException if a factor cannot be inverted
   */
  public Result run(Backend backend, Map<String, StoredTensor> tensors) {
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
    ResultTensors out = new ResultTensors();
    for (LayerTensors in : inputs) {
      String name = in.layer();
      for (String factor : kfac.state().factors(name)) {
        double[] values = kfac.state().factor(name, factor);
        out.add(name + "." + factor, in.dtype(), values, kfac.state().factorShape(name, factor));
      }
      out.add(name + LayerTensors.WEIGHT_GRAD, in.dtype(), in.weightGrad());
      if (in.biasGrad() != null) {
        out.add(name + LayerTensors.BIAS_GRAD, in.dtype(), in.biasGrad());
      }
    }
    return out.asMap();
  }
}
