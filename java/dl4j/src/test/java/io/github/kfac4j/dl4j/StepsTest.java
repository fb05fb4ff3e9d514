package io.github.kfac4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.layers.normalization.BatchNormalization;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/** Steps of {@code fit}, one after another. */
class StepsTest {
  private static MultiLayerNetwork cnn() {
    return Nets.init(Nets.cnn(Nets.settings()));
  }

  private static Dl4jKfac attach(MultiLayerNetwork net, KfacOptions options) {
    Dl4jKfac kfac = Dl4jKfac.attach(net, options);
    net.addListeners(kfac);
    return kfac;
  }

  private static double[] trained(NeuralNetConfiguration.Builder settings) {
    MultiLayerNetwork net = Nets.init(Nets.cnn(settings));
    try (Dl4jKfac kfac = attach(net, Nets.OPTIONS)) {
      for (int step = 0; step < 4; step++) {
        net.fit(Nets.images(step));
      }
      assertThat(kfac.kfac().step()).isEqualTo(4);
    }
    return net.params().dup().data().asDouble();
  }

  @Test
  void workspacesChangeNothing() {
    double[] with = trained(Nets.settings().trainingWorkspaceMode(WorkspaceMode.ENABLED));
    double[] without = trained(Nets.settings().trainingWorkspaceMode(WorkspaceMode.NONE));
    assertThat(with).isEqualTo(without);
    assertThat(with).isEqualTo(trained(Nets.settings()));
  }

  @Test
  void aBadBatchLeavesNetworkAndKfacAsTheyWere() {
    MultiLayerNetwork net = cnn();
    try (Dl4jKfac kfac = attach(net, Nets.OPTIONS)) {
      for (int step = 0; step < 4; step++) {
        if (step == 2) {
          INDArray before = net.params().dup();
          DataSet bad = Nets.images(9);
          bad.getFeatures().putScalar(3, Double.NaN);
          assertThatIllegalArgumentException()
              .isThrownBy(() -> net.fit(bad))
              .withMessage(
                  "layer 'layer0': input holds a NaN or infinity at flat index 3; network and K-FAC"
                      + " are as before it: go on with the next batch");
          assertThat(net.params()).isEqualTo(before);
          assertThat(kfac.kfac().step()).isEqualTo(2);
        }
        net.fit(Nets.images(step));
      }
    }
    assertThat(net.params().dup().data().asDouble()).isEqualTo(trained(Nets.settings()));
  }

  @Test
  void aFailureInsideThePassIsForgotten() {
    MultiLayerNetwork net = cnn();
    try (Dl4jKfac kfac = attach(net, Nets.OPTIONS)) {
      for (int step = 0; step < 4; step++) {
        if (step == 2) {
          INDArray labels = Nd4j.zeros(Nets.BATCH, 4);
          for (DataSet bad :
              List.of(
                  new DataSet(Nets.images(9).getFeatures(), labels),
                  new DataSet(Nets.images(9).getFeatures(), null))) {
            assertThat(catchThrowable(() -> net.fit(bad))).isNotNull();
            assertThat(listened(net)).isEmpty();
            assertThat(net.getLayer(1)).isExactlyInstanceOf(BatchNormalization.class);
          }
        }
        net.fit(Nets.images(step));
      }
      assertThat(kfac.kfac().step()).isEqualTo(4);
    }
    assertThat(net.params().dup().data().asDouble()).isEqualTo(trained(Nets.settings()));
  }

  /** Deeplearning4j's own words reach the user, and no stand-in stays in the network. */
  @Test
  void whatDeeplearning4jRefusesItRefusesInItsOwnWords() {
    MultiLayerNetwork net =
        Nets.init(
            Nets.settings()
                .list()
                .layer(new Convolution1DLayer.Builder(3).nIn(4).nOut(Nets.BATCH).build())
                .layer(
                    new org.deeplearning4j.nn.conf.layers.BatchNormalization.Builder()
                        .nOut(Nets.BATCH)
                        .build())
                .layer(
                    new RnnOutputLayer.Builder(LossFunction.MSE)
                        .nIn(Nets.BATCH)
                        .nOut(3)
                        .dataFormat(RNNFormat.NCW)
                        .build())
                .build());
    INDArray features = Nets.gaussian(1, Nets.BATCH, 4, 9);
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, Nets.BATCH, 3, 7);
    Throwable plain = catchThrowable(() -> net.clone().fit(features, labels));
    assertThat(plain).hasMessageContaining("The layer prior to BatchNorm");
    try (Dl4jKfac kfac = attach(net, Nets.OPTIONS)) {
      assertThat(kfac.layers()).hasSize(3);
      Throwable actual = catchThrowable(() -> net.fit(features, labels));
      assertThat(actual).hasSameClassAs(plain).hasMessage(plain.getMessage());
      assertThat(listened(net)).isEmpty();
      assertThat(net.getLayer(1)).isExactlyInstanceOf(BatchNormalization.class);
    }
  }

  /** Deeplearning4j ends its backward pass at a frozen layer. */
  @Test
  void aPassThatReachesNoneOfItsLayersChangesNothing() {
    MultiLayerNetwork net =
        Nets.init(
            Nets.chain(
                Nets.settings(),
                InputType.feedForward(4),
                new DenseLayer.Builder().nOut(5).build(),
                new FrozenLayer(new DenseLayer.Builder().nOut(5).build()),
                Nets.output(3)));
    MultiLayerNetwork plain = net.clone();
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS, "layer2")) {
      assertThat(kfac.layers()).containsExactly("layer0");
      net.addListeners(kfac);
      for (int step = 0; step < 3; step++) {
        net.fit(Nets.data(step, Nets.BATCH, 4));
        plain.fit(Nets.data(step, Nets.BATCH, 4));
      }
      assertThat(kfac.kfac().step()).isEqualTo(3);
      assertThat(net.params()).isEqualTo(plain.params());
    }
  }

  @Test
  void gradientsThatAreNotForAStepChangeNothing() {
    MultiLayerNetwork net = cnn();
    try (Dl4jKfac kfac = attach(net, Nets.OPTIONS)) {
      for (int step = 0; step < 4; step++) {
        DataSet other = Nets.images(7);
        net.calculateGradients(other.getFeatures(), other.getLabels(), null, null);
        net.output(other.getFeatures());
        net.fit(Nets.images(step));
      }
      assertThat(kfac.kfac().step()).isEqualTo(4);
    }
    assertThat(net.params().dup().data().asDouble()).isEqualTo(trained(Nets.settings()));
  }

  /** The layers whose configuration has a stand-in now. */
  private static List<String> listened(MultiLayerNetwork net) {
    List<String> found = new ArrayList<>();
    for (org.deeplearning4j.nn.api.Layer layer : net.getLayers()) {
      BaseLayer conf = (BaseLayer) layer.conf().getLayer();
      boolean loss = conf instanceof BaseOutputLayer out && out.getLossFn() instanceof Tapped;
      if (loss || conf.getActivationFn() instanceof Tapped) {
        found.add(conf.getLayerName());
      }
    }
    return found;
  }

  @Test
  void afterCloseItDoesNothing() {
    MultiLayerNetwork net = cnn();
    MultiLayerNetwork plain = net.clone();
    Dl4jKfac kfac = attach(net, Nets.OPTIONS);
    kfac.close();
    net.fit(Nets.images(1));
    kfac.discardStep();
    plain.setListeners(kfac);
    plain.fit(Nets.images(1));
    assertThat(net.params()).isEqualTo(plain.params());
  }

  @Test
  void onlyStepsThatAreObservedAreListenedTo() {
    MultiLayerNetwork net = cnn();
    List<List<String>> during = new ArrayList<>();
    try (Dl4jKfac kfac = attach(net, Nets.OPTIONS.withIntervals(2, 2))) {
      net.addListeners(
          new BaseTrainingListener() {
            @Override
            public void onForwardPass(Model model, List<INDArray> activations) {
              during.add(listened(net));
            }
          });
      for (int step = 0; step < 3; step++) {
        net.fit(Nets.images(step));
        assertThat(listened(net)).isEmpty();
      }
      assertThat(kfac.lastReport()).isPresent();
    }
    List<String> all = List.of("layer0", "layer2", "layer3");
    assertThat(during).containsExactly(all, List.of(), all);
  }

  @Test
  void theClipFollowsTheScheduleOfTheUpdater() {
    MapSchedule rates = new MapSchedule(ScheduleType.ITERATION, Map.of(0, 0.5, 1, 0.25, 2, 0.125));
    MultiLayerNetwork net = Nets.init(Nets.cnn(Nets.settings().updater(new Sgd(rates))));
    try (Dl4jKfac kfac = attach(net, Nets.OPTIONS.withKlClip(1e-3))) {
      for (double rate : new double[] {0.5, 0.25, 0.125}) {
        net.fit(Nets.images(1));
        assertThat(kfac.kfac().options().learningRate()).hasValue(rate);
        assertThat(kfac.lastReport().orElseThrow().clip()).isLessThan(1);
      }
    }
  }

  @Test
  void theBurnInChangesRunningMeansAlone() {
    MultiLayerNetwork net = cnn();
    INDArray weights = net.getParam("2_W").dup();
    INDArray scale = net.getParam("1_gamma").dup();
    INDArray mean = net.getParam("1_mean").dup();
    Intervals burning = Intervals.of(1, 1).withBurnIn(2);
    try (Dl4jKfac kfac = attach(net, Nets.OPTIONS.withIntervals(burning))) {
      net.fit(Nets.images(1));
      net.fit(Nets.images(2));
      assertThat(net.getParam("2_W")).isEqualTo(weights);
      assertThat(net.getParam("1_gamma")).isEqualTo(scale);
      assertThat(net.getParam("1_mean")).isNotEqualTo(mean);
      net.fit(Nets.images(3));
      assertThat(net.getParam("2_W")).isNotEqualTo(weights);
      assertThat(net.getParam("1_gamma")).isNotEqualTo(scale);
      assertThat(kfac.kfac().step()).isEqualTo(3);
    }
  }

  @Test
  void truncatedBackpropagationIsAStepForEachSegment() {
    MultiLayerConfiguration configuration =
        Nets.settings()
            .list()
            .layer(new LSTM.Builder().nOut(5).build())
            .layer(
                new RnnOutputLayer.Builder(LossFunction.MSE)
                    .nOut(3)
                    .activation(Activation.IDENTITY)
                    .build())
            .setInputType(InputType.recurrent(4))
            .backpropType(BackpropType.TruncatedBPTT)
            .tBPTTLength(3)
            .build();
    MultiLayerNetwork net = Nets.init(configuration);
    try (Dl4jKfac kfac = attach(net, Nets.OPTIONS)) {
      net.fit(Nets.gaussian(1, 5, 4, 9), Nd4j.zeros(DataType.DOUBLE, 5, 3, 9));
      assertThat(kfac.kfac().step()).isEqualTo(3);
    }
  }
}
