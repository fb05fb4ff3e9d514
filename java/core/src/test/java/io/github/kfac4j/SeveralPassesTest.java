package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.StateMatrix;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several backward passes through one forward pass, as the exact Fisher makes them. */
class SeveralPassesTest {
  private static final int N = 4;
  private static final int PASSES = 3;
  private final Random random = new Random(31);

  private static Map<String, Layer> layers() {
    Map<String, Layer> layers = new LinkedHashMap<>();
    layers.put("fc", new Dense(5, 3, true));
    layers.put("conv", Conv2d.of(2, 3, Window.of(2, 2)));
    layers.put("flat", new FlattenedDense(3, 2, 2, true, false));
    layers.put("norm", ScaleShift.of(3));
    layers.put("table", new Embedding(5, 3));
    return layers;
  }

  private HostTensor tensor(int... shape) {
    int size = 1;
    for (int extent : shape) {
      size *= extent;
    }
    return HostTensor.of(gaussian(random, size), shape);
  }

  /** Observations of each pass: the same inputs, other output gradients. */
  private List<List<Observation>> passes() {
    HostTensor fc = tensor(N, 5);
    HostTensor conv = tensor(N, 2, 3, 3);
    HostTensor flat = tensor(N, 3, 2);
    HostTensor norm = tensor(N, 3);
    HostTensor ids = HostTensor.of(random.ints(N, 0, 5).asDoubleStream().toArray(), N);
    List<List<Observation>> passes = new ArrayList<>();
    for (int pass = 0; pass < PASSES; pass++) {
      double scale = Math.sqrt(PASSES);
      passes.add(
          List.of(
              new Observation("fc", fc, tensor(N, 3), scale),
              new Observation("conv", conv, tensor(N, 3, 2, 2), scale),
              new Observation("flat", flat, tensor(N, 2), scale),
              new Observation("norm", norm, tensor(N, 3), scale),
              new Observation("table", ids, tensor(N, 3), scale)));
    }
    return passes;
  }

  /** How often moments of vectors of each length were taken. */
  private static Backend counting(Map<Integer, Integer> moments) {
    Backend java = new JavaBackend();
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("accumulate")) {
                ((List<?>) arguments[0])
                    .forEach(
                        m ->
                            moments.merge(
                                ((AccumulateRequest) m).samples().dim(), 1, Integer::sum));
              }
              try {
                return method.invoke(java, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @ParameterizedTest
  @CsvSource({
    "KRONECKER,FACTORED",
    "KRONECKER,EXACT",
    "EKFAC,EXACT",
    "DIAGONAL,EXACT",
    "DOUBLY_FACTORED,FACTORED"
  })
  void equalOneByOneAndMakeInputFactorsOnce(Approximation approximation, DampingMode mode) {
    KfacOptions options = OPTIONS.withDecay(0.5).withDampingMode(mode);
    options =
        approximation == Approximation.DOUBLY_FACTORED
            ? options.withApproximation("flat", approximation)
            : options
                .withApproximation(approximation)
                .withApproximation("table", Approximation.KRONECKER);
    Map<Integer, Integer> moments = new HashMap<>();
    try (Kfac together = new Kfac(counting(moments), layers(), options);
        Kfac apart = new Kfac(new JavaBackend(), layers(), options)) {
      for (int step = 0; step < 2; step++) {
        for (double share : new double[] {0.25, 0.75}) {
          List<List<Observation>> passes = passes();
          for (int pass = 0; pass < PASSES; pass++) {
            together.observe(passes.get(pass), Share.of(share).ofPass(pass, PASSES));
            apart.observe(passes.get(pass), Share.of(share / PASSES));
          }
        }
        requireSame(together, apart);
        together.refresh();
        apart.refresh();
      }
      // inputs of "conv" have 9 numbers, those of "fc" 6: two steps of two micro-batches
      if (approximation != Approximation.DIAGONAL) {
        assertThat(moments).containsEntry(9, 4).containsEntry(6, 4);
      }
    }
  }

  private static void requireSame(Kfac together, Kfac apart) {
    for (LayerState state : together.state().layers().values()) {
      LayerState other = apart.state().layers().get(state.name);
      for (StateMatrix matrix : state.matrices()) {
        double[] expected = other.stack(matrix.key()).toArray();
        assertThat(Fixtures.error(matrix.stack().toArray(), expected))
            .as("%s of %s", matrix.key(), state.name)
            .isLessThan(1e-9);
      }
      assertThat(state.counters.toArray()).containsExactly(other.counters.toArray(), within());
    }
  }

  private static Offset<Double> within() {
    return Offset.offset(1e-12);
  }

  @Test
  void gradientsThatCannotBeUsedLeaveTheInputsOutToo() {
    try (Kfac kfac = Networks.kfac(new Dense(2, 1, false), OPTIONS)) {
      kfac.observe(List.of(Networks.observation(tensor(N, 2), tensor(N, 1))));
      double[] before = kfac.state().inputFactor("layer");
      HostTensor bad = HostTensor.of(new double[] {1, 2, Double.NaN, 4}, N, 1);
      Observation observation = Networks.observation(tensor(N, 2), bad);
      assertThatThrownBy(() -> kfac.observe(List.of(observation), Share.ALL.ofPass(0, 2)))
          .hasMessageContaining("output gradient holds a NaN");
      assertThatThrownBy(() -> kfac.observe(List.of(observation), Share.ALL.ofPass(2, 2)))
          .hasMessageContaining("from 0 to 1, but this is 2");
      assertThat(kfac.state().inputFactor("layer")).containsExactly(before);
    }
  }
}
