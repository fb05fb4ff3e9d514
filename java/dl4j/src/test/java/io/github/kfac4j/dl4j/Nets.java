package io.github.kfac4j.dl4j;

import io.github.kfac4j.options.KfacOptions;
import java.util.Random;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Small networks and their data. */
final class Nets {
  static final int BATCH = 6;
  static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDamping(0.1).withIntervals(1, 1).withoutKlClip();

  private Nets() {}

  /** What all of them have. */
  static NeuralNetConfiguration.Builder settings() {
    return new NeuralNetConfiguration.Builder()
        .seed(1)
        .dataType(DataType.DOUBLE)
        .updater(new Sgd(0.1));
  }

  /** A convolution, a normalisation and two dense layers for images of 1 x 6 x 6 in 3 classes. */
  static MultiLayerConfiguration cnn(NeuralNetConfiguration.Builder settings) {
    return settings
        .list()
        .layer(new ConvolutionLayer.Builder(3, 3).nOut(4).activation(Activation.RELU).build())
        .layer(new BatchNormalization())
        .layer(new DenseLayer.Builder().nOut(8).activation(Activation.TANH).build())
        .layer(output(3))
        .setInputType(InputType.convolutional(6, 6, 1))
        .build();
  }

  /** A softmax with its cross-entropy. */
  static OutputLayer output(int classes) {
    return new OutputLayer.Builder(LossFunction.MCXENT)
        .nOut(classes)
        .activation(Activation.SOFTMAX)
        .build();
  }

  /** Layers one after another. */
  static MultiLayerConfiguration chain(
      NeuralNetConfiguration.Builder settings, InputType input, Layer... layers) {
    NeuralNetConfiguration.ListBuilder list = settings.list();
    for (Layer layer : layers) {
      list.layer(layer);
    }
    return list.setInputType(input).build();
  }

  static MultiLayerNetwork init(MultiLayerConfiguration configuration) {
    MultiLayerNetwork net = new MultiLayerNetwork(configuration);
    net.init();
    return net;
  }

  /** Images of any shape with one-hot labels. */
  static DataSet data(long seed, long... shape) {
    INDArray features = gaussian(seed, shape);
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, shape[0], 3);
    for (int i = 0; i < shape[0]; i++) {
      labels.putScalar(i, (i + (int) seed) % 3, 1);
    }
    return new DataSet(features, labels);
  }

  static DataSet images(long seed) {
    return data(seed, BATCH, 1, 6, 6);
  }

  static INDArray gaussian(long seed, long... shape) {
    Random random = new Random(seed);
    INDArray values = Nd4j.create(DataType.DOUBLE, shape);
    for (long i = 0; i < values.length(); i++) {
      values.putScalar(i, random.nextGaussian());
    }
    return values;
  }
}
