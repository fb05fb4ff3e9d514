package io.github.kfac4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.Pointer;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

class LeakTest {
  /** In bytes of native memory, all of which Deeplearning4j counts. */
  @Test
  void aThousandStepsKeepNothing() {
    MultiLayerNetwork net =
        Nets.init(
            Nets.chain(
                Nets.settings(),
                InputType.feedForward(4),
                new DenseLayer.Builder().nOut(8).build(),
                Nets.output(3)));
    DataSet data = Nets.data(1, Nets.BATCH, 4);
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS.withIntervals(2, 20))) {
      net.addListeners(kfac);
      fit(net, data, 40);
      long before = bytes(0);
      fit(net, data, 1000);
      assertThat(bytes(before)).isLessThanOrEqualTo(before);
    }
  }

  private static void fit(MultiLayerNetwork net, DataSet data, int steps) {
    for (int step = 0; step < steps; step++) {
      net.fit(data);
    }
  }

  /** When what the framework leaves to the collector is gone, or there is no more than expected. */
  private static long bytes(long expected) {
    long bytes = Long.MAX_VALUE;
    for (int i = 0; i < 20 && bytes > expected; i++) {
      System.gc();
      Pointer.deallocateReferences();
      bytes = Nd4j.getMemoryManager().allocatedMemory(0);
    }
    return bytes;
  }
}
