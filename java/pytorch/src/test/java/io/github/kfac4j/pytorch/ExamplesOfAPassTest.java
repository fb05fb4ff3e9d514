package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.pytorch.Nets.Cnn;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a pass is told, or reads off, of how many examples it has. */
class ExamplesOfAPassTest {
  /** Labelled images, and others whose labels are guesses, in one loss. */
  private static List<String> lines(boolean says) {
    List<String> lines = new ArrayList<>();
    Cnn net = new Cnn(1);
    try (Backend backend = Backends.require("java");
        TorchKfac kfac = TorchKfac.attach(net, Nets.OPTIONS, Fisher.EMPIRICAL, backend);
        LogLines open = new LogLines(TorchKfac.class, lines)) {
      for (int step = 0; step < 2; step++) {
        net.zero_grad(true);
        if (says) {
          kfac.beginPass(4);
        }
        Tensor labelled = Nets.images(1).narrow(0, 0, 4);
        Tensor others = Nets.images(2).narrow(0, 0, 12);
        Nets.loss(net, kfac, labelled).add(Nets.loss(net, kfac, others)).backward();
        kfac.precondition();
      }
      assertThat(open.isOpen()).isTrue();
    }
    return lines.stream().filter(line -> line.contains("rows")).toList();
  }

  @Test
  void forwardsOfDifferentSizesAreNamedOnce() {
    assertThat(lines(false))
        .containsExactly(
            "one pass ran its first layer on 4 rows and on 12: K-FAC takes it as a pass of 4"
                + " examples. Join the inputs of both in one forward pass, or, if it is one, say so"
                + " by beginPass(4)");
  }

  @Test
  void notWhereTheProgramHasSaidHowManyThereAre() {
    assertThat(lines(true)).isEmpty();
  }

  /** As where a program looks at some outputs, or its loss throws, and the graph is freed. */
  @ParameterizedTest
  @ValueSource(ints = {4, 16})
  void aPassThatIsLostDoesNotSetThoseOfTheNext(int lost) {
    assertThat(gradients(lost)).usingRecursiveComparison().isEqualTo(gradients(0));
  }

  @SuppressWarnings("try") // the scope frees what is made inside it
  private static List<float[]> gradients(int lost) {
    Cnn net = new Cnn(1);
    List<float[]> gradients = new ArrayList<>();
    try (Backend backend = Backends.require("java");
        TorchKfac kfac = TorchKfac.attach(net, Nets.OPTIONS, Fisher.EMPIRICAL, backend)) {
      for (int step = 0; step < 2; step++) {
        net.zero_grad(true);
        if (lost > 0) {
          try (PointerScope scope = new PointerScope()) {
            Nets.loss(net, kfac, Nets.images(2).narrow(0, 0, lost));
          }
        }
        Nets.loss(net, kfac, Nets.images(1).narrow(0, 0, 8)).backward();
        kfac.precondition();
        TensorVector parameters = net.parameters();
        for (long i = 0; i < parameters.size(); i++) {
          gradients.add(Nets.values(parameters.get(i).grad()));
        }
      }
    }
    return gradients;
  }
}
