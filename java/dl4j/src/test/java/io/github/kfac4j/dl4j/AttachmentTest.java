package io.github.kfac4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.kfac4j.options.Approximation;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/** Which layers K-FAC has, and which networks it takes. */
class AttachmentTest {
  private static DenseLayer dense(String name, boolean normalised) {
    return new DenseLayer.Builder()
        .name(name)
        .nOut(4)
        .hasLayerNorm(normalised)
        .activation(Activation.TANH)
        .build();
  }

  @Test
  void layersItKnowsAreItsOwnAndTheRestIsNamed() {
    try (Dl4jKfac kfac = Dl4jKfac.attach(Nets.init(Nets.cnn(Nets.settings())), Nets.OPTIONS)) {
      assertThat(kfac.layers()).containsExactly("layer0", "layer1", "layer2", "layer3");
      assertThat(kfac.unsupportedLayers()).isEmpty();
      assertThat(kfac.lastReport()).isEmpty();
    }
  }

  @Test
  void aLayerCanBeLeftToTheUpdaterOrHaveAnotherApproximation() {
    MultiLayerNetwork net = Nets.init(Nets.cnn(Nets.settings()));
    try (Dl4jKfac kfac =
        Dl4jKfac.attach(
            net, Nets.OPTIONS.withApproximation("layer0", Approximation.DIAGONAL), "layer2")) {
      net.addListeners(kfac);
      net.fit(Nets.images(1));
      assertThat(kfac.layers()).containsExactly("layer0", "layer1", "layer3");
      assertThat(kfac.unsupportedLayers()).contains("layer2");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Dl4jKfac.attach(net, Nets.OPTIONS, "layer9"))
        .withMessageContaining("no layer 'layer9'");
  }

  @Test
  void whatCannotBeMappedExactlyIsLeftToTheUpdater() {
    MultiLayerNetwork net =
        Nets.init(
            Nets.chain(
                Nets.settings(),
                InputType.feedForward(4),
                new FrozenLayer(dense("frozen", false)),
                dense("same", false),
                dense("same", false),
                dense("normalised", true),
                Nets.output(3)));
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS)) {
      assertThat(kfac.layers()).containsExactly("same", "same_2", "layer4");
      assertThat(kfac.unsupportedLayers())
          .containsExactly(
              "layer0 (FrozenLayer)", "normalised (DenseLayer: it normalises behind its weight)");
      net.addListeners(kfac);
      net.fit(Nets.data(1, Nets.BATCH, 4));
      assertThat(kfac.lastReport().orElseThrow().refreshed()).hasSize(3);
    }
  }

  static Stream<Arguments> strangers() {
    InputType images = InputType.convolutional(8, 8, 2);
    InputType sequences = InputType.recurrent(4, 6);
    return Stream.of(
        Arguments.of(
            "BatchNormalization: its scale and shift are locked",
            images,
            new BatchNormalization.Builder().lockGammaBeta(true).build()),
        Arguments.of(
            "SeparableConvolution2D",
            images,
            new SeparableConvolution2D.Builder(3, 3).nOut(3).build()),
        Arguments.of(
            "DepthwiseConvolution2D",
            images,
            new DepthwiseConvolution2D.Builder(3, 3).depthMultiplier(2).build()),
        Arguments.of(
            "Deconvolution2DLayer: its padding",
            images,
            new Deconvolution2D.Builder(3, 3)
                .convolutionMode(ConvolutionMode.Same)
                .nOut(3)
                .build()),
        Arguments.of(
            "layer0 (LSTM: its gates are computed within one layer, which does not hand out their"
                + " gradients)",
            sequences,
            new LSTM.Builder().nOut(3).build()),
        Arguments.of(
            "layer0 (MaskZeroLayer: it runs what it wraps by itself)",
            sequences,
            new MaskZeroLayer.Builder()
                .setUnderlying(new SimpleRnn.Builder().nOut(3).build())
                .build()),
        Arguments.of(
            "layer0 (MaskZeroLayer: its gates are computed within one layer",
            sequences,
            new MaskZeroLayer.Builder().setUnderlying(new LSTM.Builder().nOut(3).build()).build()),
        Arguments.of(
            "layer0 (BidirectionalLayer: it runs what it wraps by itself)",
            sequences,
            new Bidirectional(new LSTM.Builder().nOut(3).build())));
  }

  /** They move by the updater's rule on their own gradients, bit for bit. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("strangers")
  void otherKindsAreLeftToTheUpdaterAsTheyAre(String kind, InputType input, Layer layer) {
    boolean images = input instanceof InputType.InputTypeConvolutional;
    Layer last = Nets.output(3);
    Layer[] layers =
        images
            ? new Layer[] {layer, last}
            : new Layer[] {layer, new GlobalPoolingLayer.Builder().build(), last};
    DataSet data = images ? Nets.data(1, Nets.BATCH, 2, 8, 8) : Nets.data(1, Nets.BATCH, 4, 6);
    MultiLayerNetwork plain = Nets.init(Nets.chain(Nets.settings(), input, layers));
    MultiLayerNetwork net = plain.clone();
    plain.fit(data);
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS)) {
      assertThat(kfac.unsupportedLayers()).hasSize(1).first().asString().contains(kind);
      net.addListeners(kfac);
      net.fit(data);
      assertThat(kfac.lastReport()).isPresent();
    }
    assertThat(net.getLayer(0).params()).isEqualTo(plain.getLayer(0).params());
    assertThat(net.params()).isNotEqualTo(plain.params());
  }

  @Test
  void aNetworkWithoutAnyLayerForItIsRefused() {
    MultiLayerNetwork net =
        Nets.init(
            Nets.chain(
                Nets.settings(),
                InputType.recurrent(4),
                new LSTM.Builder().nOut(3).build(),
                new RnnLossLayer.Builder().activation(Activation.SOFTMAX).build()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Dl4jKfac.attach(net, Nets.OPTIONS))
        .withMessageContaining("known are DenseLayer")
        .withMessageContaining("layer0 (LSTM: ");
  }

  @Test
  void aNetworkThatIsNotInitializedIsRefused() {
    MultiLayerNetwork net = new MultiLayerNetwork(Nets.cnn(Nets.settings()));
    assertThatIllegalStateException()
        .isThrownBy(() -> Dl4jKfac.attach(net, Nets.OPTIONS))
        .withMessageContaining("call its init() before");
  }

  @Test
  void aLineSearchIsRefused() {
    MultiLayerNetwork net =
        Nets.init(
            Nets.cnn(Nets.settings().optimizationAlgo(OptimizationAlgorithm.CONJUGATE_GRADIENT)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Dl4jKfac.attach(net, Nets.OPTIONS))
        .withMessageContaining("trained by CONJUGATE_GRADIENT");
  }

  @Test
  void aLayerThatIsTrainedByItselfIsNotLookedAt() {
    MultiLayerNetwork net =
        Nets.init(
            Nets.chain(
                Nets.settings(),
                InputType.feedForward(4),
                new AutoEncoder.Builder().nOut(3).activation(Activation.SIGMOID).build(),
                Nets.output(3)));
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS)) {
      net.addListeners(kfac);
      INDArray before = net.params().dup();
      net.pretrainLayer(0, Nets.gaussian(1, Nets.BATCH, 4));
      assertThat(net.params()).isNotEqualTo(before);
      assertThat(kfac.kfac().step()).isZero();
      net.fit(Nets.data(1, Nets.BATCH, 4));
      assertThat(kfac.kfac().step()).isEqualTo(1);
    }
  }

  /** Two would precondition its gradients twice. */
  @Test
  void aNetworkHasOneKfac() {
    MultiLayerNetwork net = Nets.init(Nets.cnn(Nets.settings()));
    Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Dl4jKfac.attach(net, Nets.OPTIONS))
        .withMessageContaining("layer 'layer0' has a K-FAC already");
    Dl4jKfac.attach(net.clone(), Nets.OPTIONS).close();
    kfac.close();
    Dl4jKfac.attach(net, Nets.OPTIONS).close();
  }

  @Test
  void theListenerOfAnotherNetworkIsRefused() {
    MultiLayerNetwork net = Nets.init(Nets.cnn(Nets.settings()));
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS)) {
      MultiLayerNetwork other = net.clone();
      other.setListeners(kfac);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> other.fit(Nets.images(1)))
          .withMessageContaining("attached to another network");
    }
  }
}
