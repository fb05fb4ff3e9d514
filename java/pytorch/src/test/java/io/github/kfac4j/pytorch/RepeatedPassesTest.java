package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.pytorch.Nets.Cnn;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Several forward passes before one backward pass. */
class RepeatedPassesTest {
  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  /** Two passes of as many examples look like two uses of each layer, which they may be. */
  @Test
  void twoForwardPassesBeforeABackwardPassAreNamed() {
    Cnn net = new Cnn(3);
    List<String> log = new ArrayList<>();
    try (TorchKfac kfac = TorchKfac.attach(net, Nets.OPTIONS, Fisher.EMPIRICAL, backend);
        LogLines lines = new LogLines(TorchKfac.class, log)) {
      for (int step = 0; step < 2; step++) {
        Nets.loss(net, kfac, Nets.images(1)).add(Nets.loss(net, kfac, Nets.images(2))).backward();
        kfac.precondition();
      }
      assertThat(log)
          .filteredOn(line -> line.contains("ran 2 times before the backward pass"))
          .singleElement()
          .satisfies(line -> assertThat(line).contains("on the same 16 examples", "beginPass("));
      log.clear();
      kfac.beginPass(Nets.BATCH);
      Tensor first = Nets.loss(net, kfac, Nets.images(1));
      kfac.beginPass(Nets.BATCH);
      first.add(Nets.loss(net, kfac, Nets.images(2))).backward();
      kfac.precondition();
      assertThat(log)
          .singleElement()
          .satisfies(
              line ->
                  assertThat(line)
                      .contains(
                          "a training pass began before the backward pass of the one before"));
      assertThat(lines.isOpen()).isTrue();
    }
  }
}
