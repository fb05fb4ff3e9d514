package io.github.kfac4j;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MemoryException;
import io.github.kfac4j.backend.MemoryShortage;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.EveryLayer;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Where memory is short inside a verb of a backend, the error names the layers of the request. */
class MemoryOfLayersTest {
  private static final KfacOptions FACTORED = EveryLayer.OPTIONS;
  private static final KfacOptions EXACT = FACTORED.withDampingMode(DampingMode.EXACT);
  private static final KfacOptions EKFAC = EXACT.withApproximation(Approximation.EKFAC);

  /** As a device's own exception. */
  private static final class DeviceIsFull extends RuntimeException implements MemoryShortage {
    private static final long serialVersionUID = 1L;

    DeviceIsFull() {
      super("cudaMalloc failed with 2: 64 MiB");
    }
  }

  private String failing = "";
  private Throwable shortage = new OutOfMemoryError("Cannot allocate new FloatPointer(64)");

  private final Backend backend =
      (Backend)
          Proxy.newProxyInstance(
              Backend.class.getClassLoader(),
              new Class<?>[] {Backend.class},
              new InvocationHandler() {
                private final Backend java = new JavaBackend();

                @Override
                public Object invoke(Object proxy, Method method, Object[] args) throws Throwable {
                  if (method.getName().equals(failing)) {
                    throw shortage;
                  }
                  try {
                    return method.invoke(java, args);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                }
              });

  static Stream<Arguments> verbs() {
    return Stream.of(
        Arguments.of("largest", FACTORED),
        Arguments.of("accumulate", FACTORED),
        Arguments.of("traces", FACTORED),
        Arguments.of("invert", FACTORED),
        Arguments.of("precondition", FACTORED),
        Arguments.of("decompose", EXACT),
        Arguments.of("preconditionInBasis", EXACT),
        Arguments.of("accumulateInBasis", EKFAC));
  }

  @ParameterizedTest
  @MethodSource("verbs")
  void isNamedByEveryVerb(String verb, KfacOptions options) {
    try (Kfac kfac = new Kfac(backend, layers(2), options)) {
      step(kfac, 2);
      failing = verb;
      assertThatThrownBy(() -> step(kfac, 2))
          .isInstanceOf(MemoryException.class)
          .hasMessageStartingWith("layers 'fc0', 'fc1' together: ")
          .hasMessageContaining(verb)
          .hasMessageContaining("FloatPointer(64)");
      shortage = new DeviceIsFull();
      assertThatThrownBy(() -> step(kfac, 2))
          .isInstanceOf(MemoryException.class)
          .hasMessageStartingWith("layers 'fc0', 'fc1' together: ")
          .hasMessageContaining("cudaMalloc failed with 2: 64 MiB")
          .hasCauseInstanceOf(DeviceIsFull.class);
      failing = "";
      kfac.discardStep();
      step(kfac, 2);
    }
  }

  @Test
  void oneLayerIsNamedAloneAndManyAreCounted() {
    for (int count : new int[] {1, 11}) {
      failing = "";
      try (Kfac kfac = new Kfac(backend, layers(count), FACTORED)) {
        failing = "invert";
        assertThatThrownBy(() -> step(kfac, count))
            .hasMessageStartingWith(
                count == 1
                    ? "layer 'fc0': the backend 'java' has not enough memory for its verb 'invert'"
                    : "layers 'fc0', 'fc1', 'fc2', 'fc3', 'fc4', 'fc5', 'fc6', 'fc7' and 3 more");
      }
    }
  }

  /** Only layers that are worked on together. */
  @Test
  void layersOfOtherRequestsAreNotNamed() {
    KfacOptions mixed = EXACT.withApproximation("fc1", Approximation.DIAGONAL);
    try (Kfac kfac = new Kfac(backend, layers(2), mixed)) {
      failing = "decompose";
      assertThatThrownBy(() -> step(kfac, 2)).hasMessageStartingWith("layer 'fc0': ");
    }
  }

  private static Map<String, Layer> layers(int count) {
    Map<String, Layer> layers = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      layers.put("fc" + i, new Dense(3, 2, false));
    }
    return layers;
  }

  private static void step(Kfac kfac, int layers) {
    List<String> names = Stream.iterate(0, i -> i + 1).limit(layers).map(i -> "fc" + i).toList();
    List<Observation> batch =
        names.stream()
            .map(
                name ->
                    Observation.ofSumLoss(
                        name,
                        HostTensor.of(new double[] {1, 2, 3, 3, 1, 2}, 2, 3),
                        HostTensor.of(new double[] {1, -1, 2, 1}, 2, 2)))
            .toList();
    kfac.observe(batch);
    kfac.refresh();
    if (kfac.options().measuring().isPresent()) {
      kfac.observe(batch);
    }
    kfac.precondition(
        names.stream()
            .map(
                name ->
                    new LayerGradient(name, HostTensor.of(new double[] {1, 2, 3, 4, 5, 6}, 2, 3)))
            .toList());
  }
}
