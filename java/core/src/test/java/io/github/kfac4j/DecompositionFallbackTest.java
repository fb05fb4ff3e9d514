package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.approximation.Factors;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A decomposition that a backend fails at: fp64 does it, then the last good one serves. */
class DecompositionFallbackTest {
  private static final HostTensor INPUT = HostTensor.of(new double[] {1, 2, 3, 4, 5, 6}, 3, 2);
  private static final HostTensor GRADS = HostTensor.of(new double[] {1, 0, 0, 1, 1, 1}, 3, 2);
  private static final KfacOptions EXACT = OPTIONS.withDampingMode(DampingMode.EXACT);
  private static final KfacOptions EIGEN =
      OPTIONS.withInversePolicy(InversePolicy.DEFAULT.withMethod(InversePolicy.Method.EIGEN));

  /** A backend whose eigenvalue iterations never converge. */
  private static Backend failing() {
    Backend java = new JavaBackend();
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("decompose")) {
                return ((List<?>) arguments[0])
                    .stream().map(r -> statuses(((DecomposeRequest) r).source().count())).toList();
              }
              try {
                return method.invoke(java, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static Status[] statuses(int count) {
    Status[] statuses = new Status[count];
    Arrays.fill(statuses, Status.NOT_CONVERGED);
    return statuses;
  }

  static Stream<Arguments> users() {
    Layer dense = new Dense(2, 2, false);
    return Stream.of(
        Arguments.of(dense, EXACT, "A not converged, decomposed in fp64; G not converged"),
        Arguments.of(
            dense,
            OPTIONS.withApproximation(Approximation.EKFAC),
            "A not converged, decomposed in fp64; G not converged, decomposed in fp64"),
        Arguments.of(
            dense, EIGEN, "A not converged, decomposed in fp64; G not converged, decomposed in"),
        Arguments.of(new Embedding(7, 2), OPTIONS, "G not converged, decomposed in fp64"));
  }

  @ParameterizedTest
  @MethodSource("users")
  void whatDoesNotConvergeIsDecomposedInDouble(Layer layer, KfacOptions options, String status) {
    boolean table = layer instanceof Embedding;
    Observation batch =
        Networks.observation(table ? HostTensor.of(new double[] {0, 1, 6}, 3) : INPUT, GRADS);
    double[] dw = new double[table ? 14 : 4];
    Arrays.setAll(dw, i -> i + 1);
    try (Kfac good = Networks.kfac(layer, options);
        Kfac kfac = new Kfac(failing(), Map.of("layer", layer), options)) {
      double[] expected = precondition(good, layer, batch, dw);
      assertThat(precondition(kfac, layer, batch, dw)).isEqualTo(expected);
      kfac.observe(List.of(batch));
      assertThat(kfac.refresh().get(0).perGroup().get(0).status()).startsWith(status);
    }
  }

  private static double[] precondition(Kfac kfac, Layer layer, Observation batch, double[] dw) {
    kfac.observe(List.of(batch));
    kfac.refresh();
    int[] shape = new int[layer.weightShape().rank()];
    Arrays.setAll(shape, layer.weightShape()::get);
    HostTensor u = HostTensor.of(dw.clone(), shape);
    kfac.precondition(List.of(new LayerGradient("layer", u)));
    return u.toArray();
  }

  @Test
  void aFactorThatNothingDecomposesKeepsTheLastBasisForAWhile() {
    KfacOptions options = EXACT.withInversePolicy(new InversePolicy(0, 10, 1));
    Observation batch = Networks.observation(INPUT, GRADS);
    double[] dw = {1, 2, 3, 4};
    try (Kfac kfac = Networks.kfac(new Dense(2, 2, false), options)) {
      double[] before = Networks.precondition(kfac, batch, dw);
      kfac.state()
          .layers()
          .get("layer")
          .stack(Factors.A)
          .set(new double[] {1, Double.NaN, Double.NaN, 1});
      assertThat(kfac.refresh().get(0).perGroup().get(0).status())
          .isEqualTo("A not finite, old basis kept");
      assertThat(Networks.step(kfac, "layer", dw)).containsExactly(before);
      assertThatThrownBy(kfac::refresh)
          .isInstanceOf(InversionFailedException.class)
          .hasMessage(
              "layer 'layer': the factors have no eigendecomposition (A not finite) for the 2"
                  + " refreshes in a row; the factors or their inverses are beyond the range of the"
                  + " backend's numbers: raise the damping, or scale the layer's inputs and output"
                  + " gradients");
    }
  }

  @Test
  void withoutAnEarlierOneNothingIsSaidToBeKept() {
    for (KfacOptions options : List.of(OPTIONS, EXACT, EIGEN)) {
      try (Kfac kfac = Networks.kfac(new Dense(2, 2, false), options)) {
        kfac.observe(List.of(Networks.observation(INPUT, GRADS)));
        kfac.state()
            .layers()
            .get("layer")
            .stack(Factors.G)
            .set(new double[] {1, 0, 0, Double.POSITIVE_INFINITY});
        assertThatThrownBy(kfac::refresh)
            .isInstanceOf(InversionFailedException.class)
            .hasMessageContaining("layer 'layer': ")
            .hasMessageContaining("G not finite")
            .hasMessageContaining("there is no earlier ")
            .hasMessageContaining("scale the layer's inputs and output gradients")
            .hasMessageNotContaining("kept")
            .hasMessageNotContaining("learning rate");
      }
    }
  }
}
