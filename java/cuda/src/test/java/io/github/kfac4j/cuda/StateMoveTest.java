package io.github.kfac4j.cuda;

import static io.github.kfac4j.testkit.Fixtures.direct;
import static io.github.kfac4j.testkit.Fixtures.error;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A whole step of K-FAC, and its state carried between the GPU and the fp64 backend. */
@RequiresCuda
class StateMoveTest {
  private static final Map<String, Layer> LAYERS =
      Map.of(
          "conv", Conv2d.of(2, 5, Window.of(3, 3).withPadding(1, 1)), "fc", new Dense(30, 7, true));

  @TempDir Path directory;

  private static KfacOptions options(Approximation approximation) {
    KfacOptions options = KfacOptions.DEFAULT.withDamping(0.1).withApproximation(approximation);
    return approximation == Approximation.KRONECKER
        ? options
        : options.withDampingMode(DampingMode.EXACT);
  }

  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = "DOUBLY_FACTORED") // is for layers behind a feature map
  void aStateContinuesOnTheOtherBackendAndComesBack(Approximation approximation) throws Exception {
    Path file = directory.resolve("state.safetensors");
    Path back = directory.resolve("back.safetensors");
    try (Backend cuda = new CudaBackend(0);
        Backend java = new JavaBackend();
        Kfac onGpu = new Kfac(cuda, LAYERS, options(approximation));
        Kfac onJava = new Kfac(java, LAYERS, options(approximation));
        Kfac again = new Kfac(cuda, LAYERS, options(approximation))) {
      observe(onGpu, 1);
      onGpu.refresh();
      observe(onGpu, 2);
      onGpu.state().save(file);
      onJava.state().load(file);
      onJava.state().save(back);
      again.state().load(back);
      double[] expected = step(onGpu);
      assertThat(step(again)).containsExactly(expected);
      assertThat(error(expected, step(onJava))).isLessThan(1e-5);
    }
  }

  private static void observe(Kfac kfac, int seed) {
    Random random = new Random(seed);
    kfac.observe(
        List.of(
            Observation.ofSumLoss(
                "conv",
                direct(gaussian(random, 6 * 2 * 8 * 8), 6, 2, 8, 8),
                direct(gaussian(random, 6 * 5 * 8 * 8), 6, 5, 8, 8)),
            Observation.ofSumLoss(
                "fc",
                direct(gaussian(random, 6 * 30), 6, 30),
                direct(gaussian(random, 6 * 7), 6, 7))));
  }

  private static double[] step(Kfac kfac) {
    Random random = new Random(3);
    HostTensor weight = direct(gaussian(random, 7 * 30), 7, 30);
    HostTensor bias = direct(gaussian(random, 7), 7);
    HostTensor kernel = direct(gaussian(random, 5 * 2 * 3 * 3), 5, 2, 3, 3);
    HostTensor kernelBias = direct(gaussian(random, 5), 5);
    kfac.precondition(
        List.of(
            new LayerGradient("fc", weight, bias), new LayerGradient("conv", kernel, kernelBias)));
    return Stream.of(weight, bias, kernel, kernelBias)
        .flatMapToDouble(tensor -> Arrays.stream(tensor.toArray()))
        .toArray();
  }
}
