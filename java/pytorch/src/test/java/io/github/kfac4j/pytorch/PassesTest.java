package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.pytorch.Nets.Cnn;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.EmbeddingImpl;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.LinearOptions;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.OptimizerParamGroup;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which passes are looked at, and what becomes of them. */
class PassesTest {
  private static final KfacOptions OPTIONS = Nets.OPTIONS;

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private TorchKfac attach(Module net, String... leftOut) {
    return TorchKfac.attach(net, OPTIONS, Fisher.EMPIRICAL, backend, leftOut);
  }

  @Test
  void theLossFalls() {
    Cnn net = new Cnn(1);
    SGD sgd = Nets.sgd(net, 0.1);
    try (TorchKfac kfac = attach(net)) {
      assertThat(kfac.layers()).containsExactly("conv", "hidden", "head");
      assertThat(kfac.unsupportedLayers()).isEmpty();
      float first = Nets.step(net, kfac, sgd, 0);
      float last = first;
      for (int step = 1; step < 60; step++) {
        last = Nets.step(net, kfac, sgd, step % 4);
      }
      assertThat(last).isLessThan(0.3f * first);
      assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(60);
      assertThat(kfac.lastTimes().orElseThrow().total()).isPositive();
    }
  }

  @Test
  void anInPlaceActivationChangesNothing() {
    float[][][] results = new float[2][][];
    for (boolean inPlace : new boolean[] {false, true}) {
      Cnn net = new Cnn(2);
      try (TorchKfac kfac = attach(net)) {
        Tensor x = Nets.images(4);
        Tensor z = kfac.forward(net.conv, x);
        z = inPlace ? z.relu_() : z.relu();
        z = kfac.forward(net.hidden, z.flatten(1, -1));
        z = inPlace ? z.relu_() : z.relu();
        torch.cross_entropy_loss(kfac.forward(net.head, z), Nets.labels(x)).backward();
        kfac.precondition();
        results[inPlace ? 1 : 0] = gradients(net);
      }
    }
    assertThat(results[1]).isDeepEqualTo(results[0]);
  }

  private static float[][] gradients(Module net) {
    float[][] all = new float[(int) net.parameters().size()][];
    for (int i = 0; i < all.length; i++) {
      all[i] = Nets.values(net.parameters().get(i).grad());
    }
    return all;
  }

  @Test
  void passesThatDoNotTrainLeaveNoTrace() {
    float[][][] results = new float[2][][];
    for (boolean evaluates : new boolean[] {false, true}) {
      Cnn net = new Cnn(3);
      SGD sgd = Nets.sgd(net, 0.1);
      try (TorchKfac kfac = attach(net)) {
        for (int step = 0; step < 4; step++) {
          if (evaluates) {
            Tensor more =
                torch.cat(new org.bytedeco.pytorch.TensorVector(Nets.images(8), Nets.images(9)));
            net.eval();
            net.forward(kfac::forward, more);
            net.train(true);
            try (NoGradGuard guard = new NoGradGuard()) {
              net.forward(kfac::forward, more);
              assertThat(guard.isNull()).isFalse();
            }
          }
          Nets.step(net, kfac, sgd, step);
        }
      }
      results[evaluates ? 1 : 0] = Nets.weights(net);
    }
    assertThat(results[1]).isDeepEqualTo(results[0]);
  }

  @Test
  void aForwardPassThatWasMeantForEvaluationIsNamed() {
    Cnn net = new Cnn(3);
    try (TorchKfac kfac = attach(net)) {
      Tensor more =
          torch.cat(new org.bytedeco.pytorch.TensorVector(Nets.images(8), Nets.images(9)));
      Tensor kept = net.forward(kfac::forward, more);
      Nets.loss(net, kfac, Nets.images(1)).backward();
      assertThatIllegalStateException()
          .isThrownBy(kfac::precondition)
          .withMessageContaining("of 32 examples had no backward pass before the one of 16")
          .withMessageContaining("NoGradGuard");
      assertThat(kept.defined()).isTrue();
      kfac.discardStep();
      kfac.beginPass(Nets.BATCH);
      Nets.loss(net, kfac, Nets.images(1)).backward();
      kfac.precondition();
    }
  }

  @Test
  void microBatchesAddUpToTheWholeBatch() {
    float[][][] results = new float[3][][];
    for (int parts : new int[] {1, 2}) {
      Cnn net = new Cnn(5);
      SGD sgd = Nets.sgd(net, 0.1);
      try (TorchKfac kfac =
          TorchKfac.attach(net, OPTIONS.withIntervals(2, 4), Fisher.EMPIRICAL, backend)) {
        kfac.setMicroBatches(parts);
        for (int step = 0; step < 6; step++) {
          Tensor x = Nets.images(step);
          sgd.zero_grad();
          // unequal parts count by their examples
          int[] ends = parts == 1 ? new int[] {0, 16} : new int[] {0, 6, 16};
          for (int part = 0; part < parts; part++) {
            Nets.loss(net, kfac, x.narrow(0, ends[part], ends[part + 1] - ends[part])).backward();
          }
          kfac.precondition();
          sgd.step();
        }
        if (parts == 2) {
          Nets.loss(net, kfac, Nets.images(0)).backward();
          assertThatIllegalStateException()
              .isThrownBy(kfac::precondition)
              .withMessageContaining("a step has 2 micro-batches, but there were 1 passes");
        }
      }
      results[parts] = Nets.weights(net);
    }
    for (int i = 0; i < results[1].length; i++) {
      for (int j = 0; j < results[1][i].length; j++) {
        assertThat(results[2][i][j]).isCloseTo(results[1][i][j], within(2e-5f));
      }
    }
  }

  @Test
  void aDroppedStepLeavesNoTrace() {
    float[][][] results = new float[2][][];
    for (boolean bad : new boolean[] {false, true}) {
      Cnn net = new Cnn(6);
      SGD sgd = Nets.sgd(net, 0.1);
      try (TorchKfac kfac = attach(net)) {
        for (int step = 0; step < 4; step++) {
          if (bad) {
            Nets.loss(net, kfac, Nets.images(9).mul(new Scalar(Double.NaN))).backward();
            assertThatIllegalArgumentException()
                .isThrownBy(kfac::precondition)
                .withMessageContaining("conv");
            kfac.discardStep();
            assertThat(Nets.values(net.conv.weight().grad())).containsOnly(0);
          }
          Nets.step(net, kfac, sgd, step);
        }
      }
      results[bad ? 1 : 0] = Nets.weights(net);
    }
    assertThat(results[1]).isDeepEqualTo(results[0]);
  }

  @Test
  void aScaledLossIsUnscaledForTheFactors() {
    float[][][] results = new float[2][][];
    for (int i = 0; i < 2; i++) {
      double scale = i == 0 ? 1 : 1024;
      Cnn net = new Cnn(7);
      try (TorchKfac kfac = attach(net)) {
        kfac.setLossScale(scale);
        Nets.loss(net, kfac, Nets.images(2)).mul(new Scalar(scale)).backward();
        for (long p = 0; p < net.parameters().size(); p++) {
          net.parameters().get(p).grad().div_(new Scalar(scale));
        }
        kfac.precondition();
        results[i] = gradients(net);
      }
    }
    assertThat(results[1]).isDeepEqualTo(results[0]); // powers of two
  }

  @Test
  void aClipWithoutALearningRateIsWarnedOfOnce() {
    Cnn net = new Cnn(9);
    SGD sgd = Nets.sgd(net, 0.01);
    List<String> log = new ArrayList<>();
    try (TorchKfac kfac = TorchKfac.attach(net, OPTIONS, Fisher.EMPIRICAL, backend);
        LogLines lines = new LogLines(TorchKfac.class, log)) {
      Nets.step(net, kfac, sgd, 0);
      Nets.step(net, kfac, sgd, 1);
      assertThat(lines.isOpen()).isTrue();
    }
    assertThat(log).singleElement().asString().contains("clips nothing", "followLearningRate(");
  }

  @Test
  void theClipFollowsTheLearningRate() {
    Cnn net = new Cnn(9);
    SGD sgd = Nets.sgd(net, 0.1);
    KfacOptions options = OPTIONS.withKlClip(1e-6, 0.1);
    try (TorchKfac kfac = TorchKfac.attach(net, options, Fisher.EMPIRICAL, backend)) {
      kfac.followLearningRate(sgd);
      Nets.step(net, kfac, sgd, 0);
      double clip = kfac.lastReport().orElseThrow().clip();
      assertThat(clip).isLessThan(1);
      sgd.param_groups().get(0).options().set_lr(0.01);
      Nets.step(net, kfac, sgd, 0);
      assertThat(kfac.kfac().options().learningRate()).hasValue(0.01);
      assertThat(kfac.lastReport().orElseThrow().clip()).isGreaterThan(5 * clip);
    }
  }

  /** As where a new head is trained faster than the rest. */
  @Test
  void theClipFollowsTheLargestRateOfAllGroups() {
    Cnn net = new Cnn(9);
    SGD sgd = Nets.sgd(net, 0.01);
    sgd.add_param_group(
        new OptimizerParamGroup(new LinearImpl(2, 2).parameters(), new SGDOptions(0.5)));
    KfacOptions options = OPTIONS.withKlClip(1e-6, 0.1);
    try (TorchKfac kfac = TorchKfac.attach(net, options, Fisher.EMPIRICAL, backend)) {
      kfac.followLearningRate(sgd);
      Nets.step(net, kfac, sgd, 0);
      assertThat(kfac.kfac().options().learningRate()).hasValue(0.5);
    }
  }

  /** A table that is the matrix in front of the softmax too. */
  private static final class Tied extends Module {
    final EmbeddingImpl table = register_module("table", new EmbeddingImpl(5, 3));
    final LinearImpl logits;

    Tied() {
      LinearOptions options = new LinearOptions(3, 5);
      options.bias().put(false);
      logits = register_module("logits", new LinearImpl(options));
      Nets.randomize(this, 4);
      logits.weight(table.weight());
    }
  }

  @Test
  void aTiedTableIsOneLayerOfTwoUses() {
    Tied net = new Tied();
    try (TorchKfac kfac = attach(net)) {
      assertThat(kfac.layers()).containsExactly("table");
      Tensor rows = Tensor.create(new long[] {0, 1, 2, 3, 4, 0}, 3, 2);
      Tensor z = kfac.forward(net.logits, kfac.forward(net.table, rows)).reshape(6, 5);
      torch.cross_entropy_loss(z, rows.reshape(6)).backward();
      float[] plain = Nets.values(net.table.weight().grad());
      kfac.precondition();
      assertThat(Nets.values(net.table.weight().grad())).isNotEqualTo(plain);
      assertThat(kfac.lastReport().orElseThrow().plain()).isEmpty();
    }
  }

  @Test
  void aStepWithoutAPassIsRefused() {
    Cnn net = new Cnn(1);
    TorchKfac kfac = attach(net);
    assertThatIllegalStateException()
        .isThrownBy(kfac::precondition)
        .withMessageContaining("kfac.forward(layer, x)");
    Nets.loss(net, kfac, Nets.images(1));
    assertThatIllegalStateException()
        .isThrownBy(kfac::precondition)
        .withMessageContaining("run its backward pass");
    kfac.close();
    kfac.close();
    Nets.loss(net, kfac, Nets.images(1)).backward();
    assertThatIllegalStateException().isThrownBy(kfac::precondition).withMessage("K-FAC is closed");
    kfac.discardStep();
  }

  @Test
  void aLayerThatRunsByItselfKeepsItsGradient() {
    Cnn net = new Cnn(1);
    try (TorchKfac kfac = attach(net)) {
      Tensor x = Nets.images(1);
      Tensor z = torch.relu(net.conv.forward(x));
      z = torch.relu(kfac.forward(net.hidden, z.flatten(1, -1)));
      torch.cross_entropy_loss(kfac.forward(net.head, z), Nets.labels(x)).backward();
      float[] plain = Nets.values(net.conv.weight().grad());
      kfac.precondition();
      assertThat(Nets.values(net.conv.weight().grad())).isEqualTo(plain);
    }
  }

  @Test
  void theFisherMayBeSampled() {
    Cnn net = new Cnn(2);
    SGD sgd = Nets.sgd(net, 0.1);
    try (TorchKfac kfac = TorchKfac.attach(net, OPTIONS, Fisher.monteCarlo(3), backend)) {
      float first = 0;
      float last = 0;
      for (int step = 0; step < 40; step++) {
        Tensor x = Nets.images(step % 4);
        Tensor y = kfac.outputs(net.forward(kfac::forward, x));
        Tensor loss = torch.cross_entropy_loss(y, Nets.labels(x));
        sgd.zero_grad();
        loss.backward();
        kfac.precondition();
        sgd.step();
        last = loss.item_float();
        first = step == 0 ? last : first;
      }
      assertThat(last).isLessThan(0.4f * first);
      Nets.loss(net, kfac, Nets.images(1)).backward();
      assertThatIllegalStateException()
          .isThrownBy(kfac::precondition)
          .withMessageContaining("kfac.outputs(y)");
      assertThat(List.of(kfac.layers())).isNotEmpty();
    }
  }
}
