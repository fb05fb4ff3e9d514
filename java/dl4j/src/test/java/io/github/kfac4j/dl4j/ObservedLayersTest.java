package io.github.kfac4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Every kind of layer and what may surround it: inputs and output gradients that K-FAC is handed
 * give, by their definition, the weight gradient that Deeplearning4j computed; the weights move by
 * what K-FAC made of it.
 */
class ObservedLayersTest {
  private static final double RATE = 0.1;

  private static Arguments of(
      String name, Supplier<DataSet> data, Supplier<MultiLayerConfiguration> configuration) {
    return Arguments.of(name, data, configuration);
  }

  private static Arguments ofImages(String name, ConvolutionLayer.Builder conv) {
    return of(
        name,
        () -> Nets.data(3, Nets.BATCH, 2, 7, 6),
        () ->
            Nets.chain(
                Nets.settings(),
                InputType.convolutional(7, 6, 2),
                conv.nOut(3).activation(Activation.TANH).build(),
                Nets.output(3)));
  }

  private static DenseLayer.Builder dense() {
    return new DenseLayer.Builder().nOut(5).activation(Activation.SIGMOID);
  }

  private static Arguments ofRows(String name, NeuralNetConfiguration.Builder settings) {
    return ofRows(name, settings, dense());
  }

  private static Arguments ofRows(
      String name, NeuralNetConfiguration.Builder settings, DenseLayer.Builder dense) {
    return of(
        name,
        () -> Nets.data(3, Nets.BATCH, 4),
        () ->
            Nets.chain(
                settings,
                InputType.feedForward(4),
                dense.build(),
                dense().build(),
                Nets.output(3)));
  }

  static Stream<Arguments> networks() {
    return Stream.of(
        ofRows("dense", Nets.settings()),
        ofRows("fp32", Nets.settings().dataType(DataType.FLOAT)),
        ofRows("no bias", Nets.settings(), dense().hasBias(false)),
        ofRows("no workspaces", Nets.settings().trainingWorkspaceMode(WorkspaceMode.NONE)),
        ofRows("summed loss", Nets.settings().miniBatch(false)),
        ofRows("dropout", Nets.settings().dropOut(0.6)),
        ofRows("drop connect", Nets.settings().weightNoise(new DropConnect(0.6))),
        of(
            "one configuration for two layers",
            () -> Nets.data(3, Nets.BATCH, 5),
            () -> {
              DenseLayer twice = dense().nIn(5).build();
              return Nets.chain(
                  Nets.settings(), InputType.feedForward(5), twice, twice, Nets.output(3));
            }),
        ofRows("softmax inside", Nets.settings(), dense().activation(Activation.SOFTMAX)),
        ofImages("conv", new ConvolutionLayer.Builder(3, 2)),
        ofImages("strides", new ConvolutionLayer.Builder(3, 2).stride(2, 1)),
        ofImages("padding", new ConvolutionLayer.Builder(3, 2).padding(1, 2)),
        ofImages("dilation", new ConvolutionLayer.Builder(2, 2).dilation(2, 1)),
        ofImages("conv without bias", new ConvolutionLayer.Builder(3, 3).hasBias(false)),
        ofImages("same", same(3, 3)),
        ofImages("same, wider at the end", same(2, 4)),
        ofImages("same with strides", same(3, 2).stride(2, 3)),
        of(
            "channels last",
            () -> Nets.data(3, Nets.BATCH, 7, 6, 2),
            () ->
                Nets.chain(
                    Nets.settings(),
                    InputType.convolutional(7, 6, 2, CNN2DFormat.NHWC),
                    new ConvolutionLayer.Builder(3, 2)
                        .nOut(3)
                        .dataFormat(CNN2DFormat.NHWC)
                        .activation(Activation.TANH)
                        .build(),
                    Nets.output(3))),
        of(
            "two convolutions and pooling",
            () -> Nets.data(3, Nets.BATCH, 1, 12, 12),
            () ->
                Nets.chain(
                    Nets.settings(),
                    InputType.convolutional(12, 12, 1),
                    new ConvolutionLayer.Builder(3, 3).nOut(3).activation(Activation.RELU).build(),
                    new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).build(),
                    new ConvolutionLayer.Builder(2, 2).nOut(4).activation(Activation.RELU).build(),
                    dense().build(),
                    Nets.output(3))),
        line("line", new Convolution1D.Builder(3)),
        line("line with strides", new Convolution1D.Builder(3, 2, 1).hasBias(false)),
        line("line with dilation", new Convolution1D.Builder(2).dilation(3)),
        line("same line", new Convolution1D.Builder(3).convolutionMode(ConvolutionMode.Same)),
        line(
            "same line, wider at the end",
            new Convolution1D.Builder(4, 2).convolutionMode(ConvolutionMode.Same)),
        line(
            "causal line",
            new Convolution1D.Builder(3).dilation(2).convolutionMode(ConvolutionMode.Causal)),
        of(
            "normalised rows",
            () -> Nets.data(3, Nets.BATCH, 4),
            () ->
                Nets.chain(
                    Nets.settings(),
                    InputType.feedForward(4),
                    dense().build(),
                    new BatchNormalization(),
                    Nets.output(3))),
        of("normalised images", () -> Nets.images(3), () -> Nets.cnn(Nets.settings())),
        of(
            "normalised images, channels last",
            () -> Nets.data(3, Nets.BATCH, 7, 6, 2),
            () ->
                Nets.chain(
                    Nets.settings(),
                    InputType.convolutional(7, 6, 2, CNN2DFormat.NHWC),
                    new BatchNormalization.Builder().dataFormat(CNN2DFormat.NHWC).build(),
                    Nets.output(3))),
        deconvolution("deconvolution", new Deconvolution2D.Builder(3, 2)),
        deconvolution(
            "deconvolution with strides",
            new Deconvolution2D.Builder(3, 2).stride(2, 3).padding(1, 0).hasBias(false)),
        of(
            "embedding",
            () -> new DataSet(rows(Nets.BATCH, 1), Nets.data(3, Nets.BATCH, 4).getLabels()),
            () ->
                Nets.chain(
                    Nets.settings(),
                    InputType.feedForward(9),
                    new EmbeddingLayer.Builder().nIn(9).nOut(5).hasBias(true).build(),
                    dense().build(),
                    Nets.output(3))),
        of("embedded sequences", () -> ofRows(false), () -> embedded(RNNFormat.NCW)),
        of("masked embedded sequences", () -> ofRows(true), () -> embedded(RNNFormat.NCW)),
        of(
            "embedded sequences, channels last",
            ObservedLayersTest::channelsLast,
            () -> embedded(RNNFormat.NWC)),
        of("masked images", ObservedLayersTest::maskedImages, ObservedLayersTest::images),
        of("sequences", () -> sequences(false), ObservedLayersTest::recurrent),
        of("masked sequences", () -> sequences(true), ObservedLayersTest::recurrent));
  }

  private static Arguments line(String name, Convolution1D.Builder builder) {
    return of(
        name,
        () -> Nets.data(3, Nets.BATCH, 2, 9),
        () ->
            Nets.chain(
                Nets.settings(),
                InputType.recurrent(2, 9),
                builder.nOut(3).activation(Activation.TANH).build(),
                new GlobalPoolingLayer.Builder().build(),
                Nets.output(3)));
  }

  private static Arguments deconvolution(String name, Deconvolution2D.Builder builder) {
    return of(
        name,
        () -> Nets.data(3, Nets.BATCH, 2, 4, 3),
        () ->
            Nets.chain(
                Nets.settings(),
                InputType.convolutional(4, 3, 2),
                builder.nOut(3).activation(Activation.TANH).build(),
                Nets.output(3)));
  }

  private static INDArray rows(long... shape) {
    INDArray rows = Nd4j.zeros(DataType.DOUBLE, shape);
    for (int i = 0; i < rows.length(); i++) {
      rows.putScalar(i, i * i % 9);
    }
    return rows;
  }

  private static DataSet ofRows(boolean masked) {
    DataSet data = sequences(masked);
    data.setFeatures(rows(Nets.BATCH, 1, 7));
    return data;
  }

  private static DataSet channelsLast() {
    DataSet data = ofRows(false);
    data.setLabels(data.getLabels().permute(0, 2, 1).dup());
    return data;
  }

  private static MultiLayerConfiguration embedded(RNNFormat format) {
    return Nets.settings()
        .list()
        .layer(new EmbeddingSequenceLayer.Builder().nIn(9).nOut(4).outputDataFormat(format).build())
        .layer(
            new RnnOutputLayer.Builder(LossFunction.MCXENT)
                .nIn(4)
                .nOut(3)
                .dataFormat(format)
                .activation(Activation.SOFTMAX)
                .build())
        .build();
  }

  private static ConvolutionLayer.Builder same(int height, int width) {
    return new ConvolutionLayer.Builder(height, width).convolutionMode(ConvolutionMode.Same);
  }

  private static MultiLayerConfiguration images() {
    return Nets.chain(
        Nets.settings(),
        InputType.convolutional(6, 6, 1),
        new ConvolutionLayer.Builder(3, 3).nOut(3).activation(Activation.TANH).build(),
        dense().build(),
        Nets.output(3));
  }

  /** Of which every other does not count. */
  private static DataSet maskedImages() {
    DataSet data = Nets.images(3);
    INDArray mask = Nd4j.zeros(DataType.DOUBLE, Nets.BATCH, 1);
    for (int i = 0; i < Nets.BATCH; i += 2) {
      mask.putScalar(i, 1);
    }
    INDArray images = mask.dup().reshape(Nets.BATCH, 1, 1, 1);
    return new DataSet(data.getFeatures(), data.getLabels(), images, mask);
  }

  private static MultiLayerConfiguration recurrent() {
    return Nets.chain(
        Nets.settings(),
        InputType.recurrent(4),
        new LSTM.Builder().nOut(5).build(),
        dense().build(),
        new RnnOutputLayer.Builder(LossFunction.MCXENT)
            .nOut(3)
            .activation(Activation.SOFTMAX)
            .build());
  }

  /** Of 7 time steps, of which the masks leave fewer to most examples. */
  static DataSet sequences(boolean masked) {
    INDArray features = Nets.gaussian(3, Nets.BATCH, 4, 7);
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, Nets.BATCH, 3, 7);
    INDArray mask = Nd4j.zeros(DataType.DOUBLE, Nets.BATCH, 7);
    for (int i = 0; i < Nets.BATCH; i++) {
      for (int t = 0; t < 7; t++) {
        labels.putScalar(i, (i + t) % 3, t, 1);
        mask.putScalar(i, t, t <= i + 1 ? 1 : 0);
      }
    }
    return masked ? new DataSet(features, labels, mask, mask.dup()) : new DataSet(features, labels);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("networks")
  void giveTheWeightGradient(
      String name, Supplier<DataSet> data, Supplier<MultiLayerConfiguration> configuration) {
    check(data, configuration);
  }

  /** Two steps of a network. */
  static void check(Supplier<DataSet> data, Supplier<MultiLayerConfiguration> configuration) {
    MultiLayerNetwork net = Nets.init(configuration.get());
    boolean mean = net.conf().isMiniBatch();
    DataType type = net.params().dataType();
    double rounding = type == DataType.DOUBLE ? 1e-12 : 1e-5;
    Recorder[] made = new Recorder[1];
    try (Dl4jKfac kfac =
        Dl4jKfac.attach(
            net, Nets.OPTIONS, (layers, settings) -> made[0] = new Recorder(layers, settings))) {
      Recorder recorder = made[0];
      net.addListeners(kfac);
      for (int step = 0; step < 2; step++) { // the second is not the first one's by accident
        Map<String, INDArray> before = new HashMap<>(net.paramTable());
        before.replaceAll((key, value) -> value.dup());
        net.fit(data.get());
        assertThat(recorder.observations).hasSameSizeAs(recorder.layers.keySet());
        recorder.layers.forEach(
            (layer, description) -> {
              Observation seen = recorder.observation(layer);
              assertThat(seen.examples()).isEqualTo(Nets.BATCH);
              assertThat(seen.outputGradScale()).isEqualTo(1);
              double[] expected = WeightGradients.of(description, seen, mean ? Nets.BATCH : 1);
              assertThat(expected).isNotEqualTo(new double[expected.length]);
              assertClose(recorder.plain.get(layer), expected, rounding);
              String weight = description instanceof ScaleShift ? "_gamma" : "_W";
              String place = layer.substring("layer".length());
              String key = place.endsWith("W") ? place : place + weight;
              INDArray moved = before.get(key).sub(net.getParam(key)).div(RATE);
              double[] walked = ordered(description, moved).dup('c').data().asDouble();
              double cancelled = type == DataType.DOUBLE ? 1e-10 : 1e-4; // in new less old
              assertClose(walked, recorder.preconditioned.get(layer), cancelled);
            });
      }
    }
  }

  /** A weight with its dimensions in K-FAC's order. */
  private static INDArray ordered(Layer description, INDArray weight) {
    if (description instanceof Conv1d conv) {
      return weight
          .dup('c')
          .reshape('c', conv.window().kernelWidth(), conv.inChannels(), conv.outChannels())
          .permute(2, 1, 0);
    }
    return description instanceof Dense ? weight.transpose() : weight;
  }

  private static void assertClose(double[] actual, double[] expected, double relative) {
    double largest = 0;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(relative * largest));
    }
  }
}
