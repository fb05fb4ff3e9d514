package io.github.kfac4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.experiments.data.BatchOrder;
import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.data.Datasets;
import io.github.kfac4j.options.KfacOptions;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.DoubleStream;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Nesterovs;

/** Real images: a CNN of the form of Shallue et al.'s, a quarter as wide, on Fashion-MNIST. */
class SimpleCnnTest {
  private static final int STEPS = 50;
  private static final int BATCH = 64;
  private static final Dataset DATA = Datasets.load(DatasetName.FASHION_MNIST, Optional.empty());

  private static ConvolutionLayer conv(int channels) {
    return new ConvolutionLayer.Builder(5, 5)
        .nOut(channels)
        .convolutionMode(ConvolutionMode.Same)
        .activation(Activation.RELU)
        .build();
  }

  private static SubsamplingLayer pool() {
    return new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).build();
  }

  private static MultiLayerNetwork net(double rate) {
    return Nets.init(
        Nets.chain(
            new NeuralNetConfiguration.Builder().seed(1).updater(new Nesterovs(rate, 0.9)),
            InputType.convolutional(28, 28, 1),
            conv(8),
            pool(),
            conv(16),
            pool(),
            new DenseLayer.Builder().nOut(256).activation(Activation.RELU).build(),
            Nets.output(10)));
  }

  private static DataSet batch(BatchReader reader, int[] indices, long step) {
    reader.read(indices, step);
    float[] pixels = new float[indices.length * 28 * 28];
    reader.inputs().asFloatBuffer().get(pixels);
    ByteBuffer labels = reader.labels();
    INDArray classes = Nd4j.zeros(indices.length, 10);
    for (int i = 0; i < indices.length; i++) {
      classes.putScalar(i, (int) labels.getFloat(i * Float.BYTES), 1);
    }
    return new DataSet(Nd4j.create(pixels, new int[] {indices.length, 1, 28, 28}), classes);
  }

  /** The loss on images that were not trained on, after so many steps. */
  private static double train(KfacOptions options, double rate) {
    MultiLayerNetwork net = net(rate);
    BatchReader reader = BatchReader.training(DATA, BATCH, false, 1);
    BatchOrder order = new BatchOrder(DATA.train().count(), BATCH, 1);
    try (Dl4jKfac kfac = options == null ? null : Dl4jKfac.attach(net, options)) {
      if (kfac != null) {
        net.addListeners(kfac);
      }
      for (int step = 0; step < STEPS; step++) {
        net.fit(batch(reader, order.indices(step), step));
      }
    }
    int[] first = new int[500];
    Arrays.setAll(first, i -> i);
    return net.score(batch(BatchReader.validation(DATA, first.length), first, 0));
  }

  @Test
  void fiftyStepsBeatSgdAtItsBestRate() {
    double sgd =
        DoubleStream.of(0.003, 0.01, 0.03, 0.1, 0.3)
            .map(rate -> train(null, rate))
            .peek(loss -> System.out.println("sgd " + loss))
            .filter(Double::isFinite)
            .min()
            .orElseThrow();
    double kfac = train(KfacOptions.DEFAULT.withDamping(0.03).withIntervals(1, 10), 0.03);
    System.out.println("sgd " + sgd + " kfac " + kfac);
    assertThat(kfac).isLessThan(sgd);
  }
}
