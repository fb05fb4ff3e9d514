package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.pytorch.Nets.Cnn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loops that divide their losses, and layers that have no rows in a pass. */
class LoopsTest {
  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  /** And an accumulation that was cut short ends with as many as there were. */
  @Test
  void dividedLossesAddUpToTheWholeBatch() {
    float[][][] results = new float[2][][];
    for (boolean divided : new boolean[] {false, true}) {
      Cnn net = new Cnn(5);
      SGD sgd = Nets.sgd(net, 0.1);
      try (TorchKfac kfac = attach(net)) {
        for (int step = 0; step < 4; step++) {
          Tensor x = Nets.images(step);
          sgd.zero_grad();
          if (divided) {
            kfac.setDividedMicroBatches(2);
            for (int part = 0; part < 2; part++) {
              Nets.loss(net, kfac, x.narrow(0, 8L * part, 8)).div(new Scalar(2.0)).backward();
            }
          } else {
            Nets.loss(net, kfac, x).backward();
          }
          kfac.precondition();
          sgd.step();
        }
        if (divided) {
          Nets.loss(net, kfac, Nets.images(9)).backward();
          assertThatIllegalStateException()
              .isThrownBy(kfac::precondition)
              .withMessageContaining("a step has 2 micro-batches, but there were 1 passes");
          kfac.setDividedMicroBatches(1);
          kfac.precondition();
        }
      }
      results[divided ? 1 : 0] = Nets.weights(net);
    }
    for (int i = 0; i < results[0].length; i++) {
      for (int j = 0; j < results[0][i].length; j++) {
        assertThat(results[1][i][j]).isCloseTo(results[0][i][j], within(2e-5f));
      }
    }
  }

  /** As where no token is masked, or no example is routed to an expert. */
  @Test
  void aLayerThatRunsOnNoRowsWasNotUsed() {
    Cnn net = new Cnn(3);
    SGD sgd = Nets.sgd(net, 0.1);
    try (TorchKfac kfac = attach(net)) {
      Nets.step(net, kfac, sgd, 0);
      double[] before = ((Kfac) kfac.kfac()).state().inputFactor("head");
      Tensor z = torch.relu(kfac.forward(net.conv, Nets.images(1)));
      Tensor h = kfac.forward(net.hidden, z.flatten(1, -1));
      Tensor none = kfac.forward(net.head, h.narrow(0, 0, 0));
      sgd.zero_grad();
      h.square().sum().add(none.sum()).div(new Scalar((double) Nets.BATCH)).backward();
      float[] plain = Nets.values(net.hidden.weight().grad());
      assertThat(kfac.precondition().plain()).isEmpty();
      assertThat(Nets.values(net.hidden.weight().grad())).isNotEqualTo(plain);
      assertThat(Nets.values(net.head.weight().grad())).containsOnly(0);
      assertThat(((Kfac) kfac.kfac()).state().inputFactor("head")).isEqualTo(before);
      Nets.step(net, kfac, sgd, 2);
      assertThat(((Kfac) kfac.kfac()).state().inputFactor("head")).isNotEqualTo(before);
    }
  }

  @Test
  void aRunGoesOnFromAFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("kfac.safetensors");
    Cnn net = new Cnn(3);
    Cnn again = new Cnn(3);
    try (TorchKfac kfac = attach(net);
        TorchKfac other = attach(again)) {
      Nets.step(net, kfac, Nets.sgd(net, 0.1), 0);
      kfac.kfac().save(file);
      for (int i = 0; i < again.parameters().size(); i++) {
        again.parameters().get(i).detach().copy_(net.parameters().get(i));
      }
      other.kfac().load(file);
      for (int step = 1; step < 3; step++) {
        Nets.step(net, kfac, Nets.sgd(net, 0.1), step);
        Nets.step(again, other, Nets.sgd(again, 0.1), step);
      }
      assertThat(Nets.weights(again)).isDeepEqualTo(Nets.weights(net));
      Files.writeString(file, "no state");
      assertThatIOException().isThrownBy(() -> other.kfac().load(file));
    }
  }

  /** Two would precondition a gradient twice. */
  @Test
  void aLayerHasOneKfac() {
    Cnn net = new Cnn(3);
    TorchKfac kfac = attach(net);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> attach(net))
        .withMessageContaining("layer 'conv' has a K-FAC already");
    kfac.close();
    attach(net).close();
  }

  private TorchKfac attach(Cnn net) {
    return TorchKfac.attach(net, Nets.OPTIONS, Fisher.EMPIRICAL, backend);
  }
}
