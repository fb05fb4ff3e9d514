package io.github.kfac4j.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A step on stored tensors is that of K-FAC; the tests of the command apply have the rest. */
class TensorStepTest {
  private static final Map<String, Layer> LAYERS = Map.of("fc", new Dense(2, 2, true));
  private static final KfacOptions OPTIONS = KfacOptions.DEFAULT.withIntervals(1, 1).withDecay(0);
  private static final double[] INPUT = {1, 2, -3, 0.5, 0, 1};
  private static final double[] GRADS = {0.5, -1, 2, 1, -0.25, 3};
  private static final double[] WEIGHT = {1, -2, 3, 4};
  private static final double[] BIAS = {0.5, 2};

  private static Map<String, StoredTensor> tensors() {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    tensors.put("fc.input", StoredTensor.of(INPUT.clone(), 3, 2));
    tensors.put("fc.output_grad", StoredTensor.of(GRADS.clone(), 3, 2));
    tensors.put("fc.weight_grad", StoredTensor.of(WEIGHT.clone(), 2, 2));
    tensors.put("fc.bias_grad", StoredTensor.of(BIAS.clone(), 2));
    return tensors;
  }

  @Test
  void factorsAndGradientsAreThoseOfKfac() {
    try (Backend backend = new JavaBackend();
        Kfac kfac = new Kfac(backend, LAYERS, OPTIONS)) {
      var result = new TensorStep(LAYERS, OPTIONS).run(backend, tensors());
      HostTensor weight = HostTensor.of(WEIGHT.clone(), 2, 2);
      HostTensor bias = HostTensor.of(BIAS.clone(), 2);
      kfac.observe(
          List.of(
              Observation.ofSumLoss("fc", HostTensor.of(INPUT, 3, 2), HostTensor.of(GRADS, 3, 2))));
      kfac.refresh();
      var step = kfac.precondition(List.of(new LayerGradient("fc", weight, bias)));
      assertThat(result.step().innerProduct()).isEqualTo(step.innerProduct());
      assertThat(result.layers()).hasSize(1);
      assertThat(result.tensors())
          .containsExactly(
              Map.entry("fc.A", StoredTensor.of(kfac.state().inputFactor("fc"), 3, 3)),
              Map.entry("fc.G", StoredTensor.of(kfac.state().outputFactor("fc"), 2, 2)),
              Map.entry("fc.weight_grad", StoredTensor.of(weight.toArray(), 2, 2)),
              Map.entry("fc.bias_grad", StoredTensor.of(bias.toArray(), 2)));
    }
  }

  @Test
  void aTensorSaysWhichLayerItBelongsTo() {
    assertThat(TensorStep.layerOf("block.0.fc.input_2")).hasValue("block.0.fc");
    assertThat(TensorStep.layerOf("fc.bias_grad")).hasValue("fc");
    assertThat(TensorStep.layerOf("fc.momentum")).isEmpty();
    assertThat(TensorStep.layerOf("fc.input\n")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "fc.input_3 | tensor 'fc.input_3' is there, but 'fc.input_2' is missing",
        "fc.output_grad_2 | tensor 'fc.output_grad_2' is there, but 'fc.input_2' is missing",
        "fc.output_grad_4 | tensor 'fc.output_grad_4' is there, but 'fc.input_2' is missing",
        "fc.input_99999999999 | tensor 'fc.input_99999999999' is there, but 'fc.input_2' is missing",
        "fc.input_1 | tensor 'fc.input_1' is not used: further uses are _2, _3 and so on",
        "fc.input_01 | tensor 'fc.input_01' is not used: further uses are _2, _3 and so on",
        "fc.output_grad_02 | tensor 'fc.output_grad_02' is not used: further uses are _2, _3",
      })
  void aUseThatWouldBeDroppedIsNamed(String tensor, String message) {
    Map<String, StoredTensor> tensors = tensors();
    tensors.put(tensor, StoredTensor.of(INPUT.clone(), 3, 2));
    try (Backend backend = new JavaBackend()) {
      assertThatThrownBy(() -> new TensorStep(LAYERS, OPTIONS).run(backend, tensors))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("layer 'fc': " + message);
    }
  }

  @Test
  void aMissingTensorIsNamed() {
    Map<String, StoredTensor> tensors = tensors();
    tensors.remove("fc.output_grad");
    try (Backend backend = new JavaBackend()) {
      assertThatThrownBy(() -> new TensorStep(LAYERS, OPTIONS).run(backend, tensors))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("layer 'fc': tensor 'fc.output_grad' is missing");
    }
  }
}
