package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.pytorch.Nets.Cnn;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Conv2dImpl;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layers that are frozen and unfrozen, some of them or all. */
class FrozenLayersTest {
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
  void frozenLayersWaitAndJoin() {
    Cnn net = new Cnn(8);
    net.conv.weight().set_requires_grad(false);
    net.conv.bias().set_requires_grad(false);
    SGD sgd = Nets.sgd(net, 0.1);
    try (TorchKfac kfac = attach(net)) {
      assertThat(kfac.layers()).containsExactly("hidden", "head");
      Nets.step(net, kfac, sgd, 0);
      net.conv.weight().set_requires_grad(true);
      List<String> log = new ArrayList<>();
      try (LogLines lines = new LogLines(TorchKfac.class, log)) {
        Nets.loss(net, kfac, Nets.images(1)).backward();
        float[] plain = Nets.values(net.conv.weight().grad());
        kfac.precondition();
        assertThat(Nets.values(net.conv.weight().grad())).isNotEqualTo(plain);
        Nets.step(net, kfac, sgd, 1);
        assertThat(lines.isOpen()).isTrue();
      }
      assertThat(log)
          .containsOnlyOnce("K-FAC from step 1 on: parameters unfrozen [conv weight], frozen []");
      assertThat(kfac.layers()).containsExactly("conv", "hidden", "head");
      assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(3);
      net.head.weight().set_requires_grad(false);
      net.head.bias().set_requires_grad(false);
      float[] before = Nets.values(net.head.weight());
      Nets.step(net, kfac, sgd, 2);
      assertThat(kfac.layers()).containsExactly("conv", "hidden");
      assertThat(Nets.values(net.head.weight())).isEqualTo(before);
    }
  }

  /** What the optimizer alone trains moves as it does without K-FAC, from the first step on. */
  @ParameterizedTest
  @CsvSource({
    "false, false, 1",
    "false, true, 2",
    "false, false, 2",
    "true, false, 1",
    "true, true, 2"
  })
  void allOfItsLayersMayBeFrozen(boolean fromTheFirstStep, boolean sampled, int passes) {
    float[][] plain = trainedWithFrozenLayers(null, fromTheFirstStep, passes);
    Fisher fisher = sampled ? Fisher.monteCarlo(1) : Fisher.EMPIRICAL;
    List<String> log = new ArrayList<>();
    try (LogLines lines = new LogLines(TorchKfac.class, log)) {
      assertThat(trainedWithFrozenLayers(fisher, fromTheFirstStep, passes)).isDeepEqualTo(plain);
      assertThat(lines.isOpen()).isTrue();
    }
    assertThat(log).noneMatch(line -> line.contains("backward pass"));
  }

  /** Weights after steps in which the convolution moves, the other layers being frozen. */
  private float[][] trainedWithFrozenLayers(Fisher fisher, boolean fromTheFirstStep, int passes) {
    Cnn net = new Cnn(8);
    SGD sgd = Nets.sgd(net, 0.1);
    try (TorchKfac kfac =
        fisher == null ? null : TorchKfac.attach(net, OPTIONS, fisher, backend, "conv")) {
      if (!fromTheFirstStep && kfac != null) {
        loss(net, kfac, 0).backward();
        kfac.precondition();
      }
      for (LinearImpl layer : List.of(net.hidden, net.head)) {
        layer.weight().set_requires_grad(false);
        layer.bias().set_requires_grad(false);
      }
      for (int step = 1; step < 4; step++) {
        sgd.zero_grad();
        if (kfac != null) {
          kfac.setMicroBatches(passes);
        }
        for (int i = 0; i < passes; i++) {
          loss(net, kfac, step).backward();
        }
        if (kfac != null) {
          assertThat(kfac.layers()).isEmpty();
          assertThat(kfac.precondition().plain()).isEmpty();
        } else {
          net.conv.weight().grad().mul_(new Scalar(1.0 / passes));
          net.conv.bias().grad().mul_(new Scalar(1.0 / passes));
        }
        sgd.step();
      }
      float[][] weights = Nets.weights(net);
      if (kfac != null) {
        assertThat(kfac.kfac().step()).isEqualTo(fromTheFirstStep ? 3 : 4);
        net.head.weight().set_requires_grad(true);
        kfac.setMicroBatches(1);
        loss(net, kfac, 4).backward();
        assertThat(kfac.precondition().plain()).isEmpty();
        assertThat(kfac.layers()).containsExactly("head");
      }
      return weights;
    }
  }

  /** The loss of a pass, with K-FAC or without. */
  private static Tensor loss(Cnn net, TorchKfac kfac, long seed) {
    Tensor x = Nets.images(seed);
    Tensor y =
        kfac == null
            ? net.forward(FrozenLayersTest::run, x)
            : kfac.outputs(net.forward(kfac::forward, x));
    return torch.cross_entropy_loss(y, Nets.labels(x));
  }

  private static Tensor run(Module module, Tensor x) {
    return module instanceof LinearImpl linear
        ? linear.forward(x)
        : ((Conv2dImpl) module).forward(x);
  }
}
