package io.github.kfac4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.kfac4j.options.Approximation;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;

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
      assertThat(kfac.layers()).containsExactly("layer0", "layer2", "layer3");
      assertThat(kfac.unsupportedLayers()).containsExactly("layer1 (BatchNormalization)");
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
      assertThat(kfac.layers()).containsExactly("layer0", "layer3");
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
        .withMessageContaining("layer0 (LSTM)");
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
