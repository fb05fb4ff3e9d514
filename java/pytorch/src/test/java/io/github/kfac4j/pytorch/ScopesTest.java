package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.pytorch.Nets.Cnn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that free native memory by scopes, one a step, as those on JavaCPP do. */
@SuppressWarnings("try") // scopes free what is made inside them
class ScopesTest {
  private static final int STEPS = 200;

  private static float[][] train(String backendName, boolean scoped) {
    Cnn net = new Cnn(1);
    SGD sgd = Nets.sgd(net, 0.1);
    try (Backend backend = Backends.require(backendName)) {
      TorchKfac kfac;
      try (PointerScope scope = scoped ? new PointerScope() : null) {
        kfac = TorchKfac.attach(net, Nets.OPTIONS, Fisher.EMPIRICAL, backend);
      }
      for (int step = 0; step < STEPS; step++) {
        try (PointerScope scope = scoped ? new PointerScope() : null) {
          Nets.step(net, kfac, sgd, step);
        }
      }
      kfac.close();
    }
    return Nets.weights(net);
  }

  @ParameterizedTest
  @ValueSource(strings = {"java", "cpu"})
  void aScopeAroundEachStepChangesNothing(String backend) {
    assertThat(train(backend, true)).isDeepEqualTo(train(backend, false));
  }

  /** The narrowest scopes there can be: whatever is not handed out may be freed. */
  @Test
  void aScopeAroundTheForwardPassAloneChangesNothing() {
    float[][][] results = new float[2][][];
    for (boolean scoped : new boolean[] {false, true}) {
      Cnn net = new Cnn(1);
      try (Backend backend = Backends.require("cpu");
          TorchKfac kfac = TorchKfac.attach(net, Nets.OPTIONS, Fisher.EMPIRICAL, backend)) {
        Tensor loss;
        try (PointerScope scope = scoped ? new PointerScope() : null) {
          Tensor x = Nets.images(1);
          loss = torch.cross_entropy_loss(net.forward(kfac::forward, x), Nets.labels(x));
          loss.retainReference();
        }
        loss.backward();
        kfac.precondition();
        results[scoped ? 1 : 0] = new float[][] {Nets.values(net.conv.weight().grad())};
      }
    }
    assertThat(results[1]).isDeepEqualTo(results[0]);
  }

  /** The heap has a fixed size here, so what grows is memory outside it. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aThousandStepsKeepNothing() throws IOException {
    Cnn net = new Cnn(1);
    SGD sgd = Nets.sgd(net, 0.1);
    try (TorchKfac kfac = TorchKfac.attach(net, Nets.OPTIONS.withIntervals(2, 20))) {
      long pointers = 0;
      long resident = 0;
      for (int step = 0; step < 1400; step++) {
        if (step == 400) {
          System.gc(); // what other tests have left
          Pointer.deallocateReferences();
          pointers = Pointer.totalCount();
          resident = residentKilobytes();
        }
        try (PointerScope scope = new PointerScope()) {
          Nets.step(net, kfac, sgd, step);
        }
      }
      assertThat(Pointer.totalCount()).isLessThanOrEqualTo(pointers);
      assertThat(residentKilobytes() - resident).as("growth in kB").isLessThan(12 * 1024);
    }
  }

  /** Passes without a backward pass, in a program that forgets to say that it evaluates. */
  @Test
  void passesThatAreDroppedAreFreed() {
    Cnn net = new Cnn(1);
    try (TorchKfac kfac = TorchKfac.attach(net, Nets.OPTIONS)) {
      long pointers = 0;
      for (int i = 0; i < 20; i++) {
        pointers = i == 1 ? Pointer.totalCount() : pointers;
        try (PointerScope scope = new PointerScope()) {
          net.forward(kfac::forward, Nets.images(i));
        }
      }
      assertThat(Pointer.totalCount()).isEqualTo(pointers);
    }
  }

  private static long residentKilobytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }
}
