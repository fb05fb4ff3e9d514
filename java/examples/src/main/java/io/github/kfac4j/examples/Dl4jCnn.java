package io.github.kfac4j.examples;

import io.github.kfac4j.dl4j.Dl4jKfac;
import io.github.kfac4j.options.KfacOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A CNN of Deeplearning4j, where K-FAC is a listener. */
public final class Dl4jCnn {
  private static final int BATCH = 64;

  private Dl4jCnn() {}

  /** Trains two epochs of 20 steps. */
  public static void main(String[] args) {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Sgd(0.03))
                .activation(Activation.RELU)
                .list()
                .layer(new ConvolutionLayer.Builder(5, 5).nOut(8).build())
                .layer(new SubsamplingLayer.Builder().kernelSize(4, 4).stride(4, 4).build())
                .layer(new DenseLayer.Builder().nOut(64).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(Images.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.convolutional(Images.SIZE, Images.SIZE, 1))
                .build());
    net.init();
    DataSet validation = data(Images.validation(500));
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, KfacOptions.DEFAULT.withDamping(0.03))) {
      net.addListeners(kfac);
      for (int epoch = 0; epoch < 2; epoch++) {
        net.fit(batches());
        System.out.printf(
            Locale.ROOT, "epoch %d validation loss %.3f%n", epoch, net.score(validation));
      }
    }
  }

  private static ListDataSetIterator<DataSet> batches() {
    Images images = Images.training(20 * BATCH);
    List<DataSet> batches = new ArrayList<>();
    for (int step = 0; step < 20; step++) {
      batches.add(data(images.batch(step, BATCH)));
    }
    return new ListDataSetIterator<>(batches, 1);
  }

  private static DataSet data(Images images) {
    INDArray labels = Nd4j.zeros(images.count(), Images.CLASSES);
    for (int i = 0; i < images.count(); i++) {
      labels.putScalar(i, (int) images.classes()[i], 1);
    }
    int[] shape = {images.count(), 1, Images.SIZE, Images.SIZE};
    return new DataSet(Nd4j.create(images.pixels(), shape), labels);
  }
}
