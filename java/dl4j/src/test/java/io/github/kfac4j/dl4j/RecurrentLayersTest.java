package io.github.kfac4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.layer.Dense;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Layers whose time steps share their matrices, as {@link ObservedLayersTest} checks the others.
 */
class RecurrentLayersTest {
  /** Two recurrent layers and the output at each time step. */
  static MultiLayerConfiguration network(RNNFormat format, UnaryOperator<SimpleRnn.Builder> first) {
    return Nets.settings()
        .list()
        .layer(first.apply(new SimpleRnn.Builder().nIn(4).nOut(5).dataFormat(format)).build())
        .layer(new SimpleRnn.Builder().nIn(5).nOut(4).dataFormat(format).build())
        .layer(
            new RnnOutputLayer.Builder(LossFunction.MCXENT)
                .nIn(4)
                .nOut(3)
                .dataFormat(format)
                .activation(Activation.SOFTMAX)
                .build())
        .build();
  }

  private static DataSet sequences(RNNFormat format, boolean masked) {
    DataSet data = ObservedLayersTest.sequences(masked);
    if (format == RNNFormat.NWC) {
      data.setFeatures(data.getFeatures().permute(0, 2, 1).dup());
      data.setLabels(data.getLabels().permute(0, 2, 1).dup());
    }
    return data;
  }

  private static Arguments of(
      String name, RNNFormat format, boolean masked, UnaryOperator<SimpleRnn.Builder> first) {
    return Arguments.of(name, format, masked, first);
  }

  static Stream<Arguments> networks() {
    return Stream.of(
        of("plain", RNNFormat.NCW, false, rnn -> rnn),
        of("masked", RNNFormat.NCW, true, rnn -> rnn),
        of("ReLU", RNNFormat.NCW, false, rnn -> rnn.activation(Activation.RELU)),
        of("dropout", RNNFormat.NCW, true, rnn -> rnn.dropOut(0.6)),
        of("channels last", RNNFormat.NWC, true, rnn -> rnn));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("networks")
  void giveTheGradientsOfBothMatrices(
      String name, RNNFormat format, boolean masked, UnaryOperator<SimpleRnn.Builder> first) {
    ObservedLayersTest.check(() -> sequences(format, masked), () -> network(format, first));
  }

  @Test
  void bothMatricesAreLayersAndNamesAreTheirOwn() {
    MultiLayerNetwork net = Nets.init(network(RNNFormat.NCW, rnn -> rnn.name("same")));
    net.getLayer(1).conf().getLayer().setLayerName("same");
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS, "same_1_RW")) {
      assertThat(kfac.layers()).containsExactly("same_W", "same_RW", "same_1_W", "layer2");
      assertThat(kfac.unsupportedLayers()).containsExactly("same_1_RW");
      net.addListeners(kfac);
      net.fit(sequences(RNNFormat.NCW, true));
      assertThat(kfac.lastReport().orElseThrow().plain()).isEmpty();
    }
  }

  /** Which this version of Deeplearning4j does not train. */
  @Test
  void aLayerNormalisationIsLeftToTheUpdater() {
    MultiLayerNetwork net = Nets.init(network(RNNFormat.NCW, rnn -> rnn.hasLayerNorm(true)));
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS)) {
      assertThat(kfac.unsupportedLayers())
          .containsExactly("layer0 (SimpleRnn: it normalises behind its weights)");
    }
  }

  /** Each segment begins with nothing, as Deeplearning4j's own backward pass does. */
  @Test
  void segmentsOfTruncatedBackpropagationAreSteps() {
    MultiLayerConfiguration configuration = network(RNNFormat.NCW, rnn -> rnn);
    configuration.setBackpropType(BackpropType.TruncatedBPTT);
    configuration.setTbpttFwdLength(3);
    configuration.setTbpttBackLength(3);
    MultiLayerNetwork net = Nets.init(configuration);
    Recorder[] made = new Recorder[1];
    try (Dl4jKfac kfac =
        Dl4jKfac.attach(
            net, Nets.OPTIONS, (layers, settings) -> made[0] = new Recorder(layers, settings))) {
      net.addListeners(kfac);
      net.fit(Nets.gaussian(1, 5, 4, 9), Nd4j.ones(DataType.DOUBLE, 5, 3, 9));
      assertThat(kfac.kfac().step()).isEqualTo(3);
      Map<String, double[]> expected = new HashMap<>();
      made[0].layers.forEach(
          (layer, description) ->
              expected.put(
                  layer, WeightGradients.of((Dense) description, made[0].observation(layer), 5)));
      expected.forEach(
          (layer, gradient) ->
              assertThat(made[0].plain.get(layer))
                  .as(layer)
                  .usingComparatorWithPrecision(1e-12)
                  .containsExactly(gradient));
    }
  }
}
