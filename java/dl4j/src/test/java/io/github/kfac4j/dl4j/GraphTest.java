package io.github.kfac4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;

/** Graphs are what sequences of layers are. */
class GraphTest {
  private static DenseLayer dense() {
    return new DenseLayer.Builder().nOut(8).activation(Activation.TANH).build();
  }

  private static ConvolutionLayer conv() {
    return new ConvolutionLayer.Builder(3, 3).nOut(4).activation(Activation.RELU).build();
  }

  private static ComputationGraph init(ComputationGraphConfiguration configuration) {
    ComputationGraph graph = new ComputationGraph(configuration);
    graph.init();
    return graph;
  }

  @Test
  void aGraphIsTrainedAsTheSequenceThatItIs() {
    InputType images = InputType.convolutional(6, 6, 1);
    MultiLayerNetwork net =
        Nets.init(
            Nets.chain(
                Nets.settings(),
                images,
                conv(),
                new BatchNormalization(),
                dense(),
                Nets.output(3)));
    ComputationGraph graph =
        init(
            Nets.settings()
                .graphBuilder()
                .addInputs("x")
                .addLayer("conv", conv(), "x")
                .addLayer("norm", new BatchNormalization(), "conv")
                .addLayer("hidden", dense(), "norm")
                .addLayer("out", Nets.output(3), "hidden")
                .setOutputs("out")
                .setInputTypes(images)
                .build());
    graph.setParams(net.params());
    try (Dl4jKfac one = Dl4jKfac.attach(net, Nets.OPTIONS);
        Dl4jKfac other = Dl4jKfac.attach(graph, Nets.OPTIONS)) {
      net.addListeners(one);
      graph.addListeners(other);
      assertThat(other.layers()).containsExactly("conv", "norm", "hidden", "out");
      for (int step = 0; step < 3; step++) {
        net.fit(Nets.images(step));
        graph.fit(Nets.images(step));
      }
      assertThat(other.kfac().step()).isEqualTo(3);
    }
    assertThat(graph.params()).isEqualTo(net.params());
  }

  @Test
  void branchesAndSeveralOutputs() {
    ComputationGraph graph =
        init(
            Nets.settings()
                .graphBuilder()
                .addInputs("x")
                .addLayer("first", dense(), "x")
                .addLayer("branch", dense(), "first")
                .addVertex(
                    "sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "first", "branch")
                .addLayer("out", Nets.output(3), "sum")
                .addLayer("other", Nets.output(3), "branch")
                .setOutputs("out", "other")
                .setInputTypes(InputType.feedForward(4))
                .build());
    DataSet data = Nets.data(1, Nets.BATCH, 4);
    MultiDataSet both =
        new MultiDataSet(
            new INDArray[] {data.getFeatures()},
            new INDArray[] {data.getLabels(), data.getLabels()});
    double before = graph.score(both);
    try (Dl4jKfac kfac = Dl4jKfac.attach(graph, Nets.OPTIONS)) {
      graph.addListeners(kfac);
      for (int step = 0; step < 20; step++) {
        graph.fit(both);
      }
      assertThat(kfac.lastReport().orElseThrow().refreshed())
          .extracting(report -> report.layer())
          .containsExactly("first", "branch", "out", "other");
    }
    assertThat(graph.score(both)).isLessThan(before / 2);
  }
}
