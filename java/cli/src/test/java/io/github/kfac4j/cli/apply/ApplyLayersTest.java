package io.github.kfac4j.cli.apply;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.layer.ScaleShift.Structure;
import io.github.kfac4j.layer.WeightSharing;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.testkit.Fixtures;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Kinds of layers beyond dense and 2-d convolution: the command against the library in one process
 * on the same backend, to the bit. How far a backend may be from exact arithmetic its contracts
 * hold: a tolerance here would hide faults of the command behind the condition of a block.
 */
class ApplyLayersTest {
  /** A layer, its entry in the configuration, and input and output gradient of each use. */
  private record Case(String name, Layer layer, String json, int[]... shapes) {}

  private static final Window UP = new Window(3, 2, 2, 2, 1, 0, 1, 1);

  private static final List<Case> CASES =
      List.of(
          new Case(
              "line",
              new Conv1d(4, 6, Conv1d.window(3, 2, 1, 1), 2, true),
              "'type':'conv1d','in_channels':4,'out_channels':6,'kernel':3,'stride':2,'padding':1,"
                  + "'groups':2",
              shape(5, 4, 7),
              shape(5, 6, 4)),
          new Case(
              "up",
              new ConvTranspose2d(3, 2, UP, 1, true),
              "'type':'conv_transpose2d','in_channels':3,'out_channels':2,'kernel':[3,2],"
                  + "'stride':[2,2],'padding':[1,0]",
              shape(5, 3, 3, 2),
              shape(5, 2, 5, 4)),
          new Case(
              "norm",
              ScaleShift.of(3),
              "'type':'scale_shift','channels':3",
              shape(5, 3, 2, 2),
              shape(5, 3, 2, 2)),
          new Case(
              "full",
              new ScaleShift(3, Structure.FULL, false, true, 4),
              "'type':'scale_shift','channels':3,'structure':'full','bias':false,"
                  + "'channels_last':true,'damping_scale':4.0",
              shape(5, 2, 3),
              shape(5, 2, 3)),
          new Case(
              "tied",
              new Embedding(6, 4, false),
              "'type':'embedding','vocabulary':6,'width':4,'times_uses':false,"
                  + "'approximation':'kronecker'",
              shape(5, 2),
              shape(5, 2, 4),
              shape(5, 2, 4),
              shape(5, 2, 6)),
          new Case(
              "map",
              new FlattenedDense(3, 4, 2, true, false),
              "'type':'flattened_dense','channels':3,'positions':4,'out_features':2",
              shape(5, 3, 2, 2),
              shape(5, 2)),
          new Case(
              "reduced",
              new Dense(3, 2, true, WeightSharing.REDUCE),
              "'type':'dense','in_features':3,'out_features':2,'weight_sharing':'reduce'",
              shape(5, 4, 3),
              shape(5, 4, 2)),
          new Case(
              "twice",
              new Dense(3, 2, true),
              "'type':'dense','in_features':3,'out_features':2",
              shape(5, 3),
              shape(5, 2),
              shape(5, 2, 3),
              shape(5, 2, 2)));

  @TempDir Path directory;
  private final Random random = new Random(12);

  private static int[] shape(int... extents) {
    return extents;
  }

  static Stream<Arguments> runs() {
    return Stream.of(Approximation.values())
        .flatMap(
            a ->
                Stream.of("java", "cpu")
                    .flatMap(b -> Stream.of(DType.F32, DType.F64).map(t -> Arguments.of(a, b, t))));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void theCommandDoesWhatTheLibraryDoes(Approximation approximation, String backend, DType dtype) {
    KfacOptions options =
        KfacOptions.DEFAULT.withDecay(0).withDamping(0.03).withApproximation(approximation);
    boolean doubly = approximation == Approximation.DOUBLY_FACTORED;
    for (Case one : CASES) {
      if (doubly != (doubly && one.layer() instanceof FlattenedDense)) {
        continue; // is refused, as its own test shows
      }
      Bench bench = new Bench(directory);
      List<Observation> uses = new ArrayList<>();
      for (int u = 0; u < one.shapes().length; u += 2) {
        String number = u == 0 ? "" : "_" + (u / 2 + 1);
        boolean ids = one.layer() instanceof Embedding && u == 0;
        HostTensor x = put(bench, one.name() + ".input" + number, dtype, ids, one.shapes()[u]);
        HostTensor g =
            put(bench, one.name() + ".output_grad" + number, dtype, false, one.shapes()[u + 1]);
        uses.add(Observation.ofSumLoss(one.name(), x, g));
      }
      Layer layer = one.layer();
      HostTensor weight =
          put(bench, one.name() + ".weight_grad", dtype, false, extents(layer.weightShape()));
      HostTensor bias =
          layer.bias()
              ? put(bench, one.name() + ".bias_grad", dtype, false, extents(layer.biasShape()))
              : null;
      JsonNode json =
          bench.json(
              backend,
              "{'layers':[{'name':'%s',%s}],'damping':0.03,'approximation':'%s'}"
                  .formatted(one.name(), one.json(), approximation.name().toLowerCase())
                  .replace('\'', '"'));
      assertThat(json.get("layers").get(0).get("groups").intValue()).isEqualTo(layer.groups());

      KfacOptions ofLayer =
          one.name().equals("tied")
              ? options.withApproximation("tied", Approximation.KRONECKER)
              : options;
      try (Backend own = Backends.require(backend);
          Kfac kfac = new Kfac(own, Map.of(one.name(), layer), ofLayer)) {
        kfac.observe(uses);
        kfac.refresh();
        kfac.observe(uses);
        kfac.precondition(List.of(new LayerGradient(one.name(), weight, bias)));
        Map<String, StoredTensor> results = bench.results();
        check(results, one.name() + ".weight_grad", weight.toArray());
        if (bias != null) {
          check(results, one.name() + ".bias_grad", bias.toArray());
        }
        for (String factor : kfac.state().factors(one.name())) {
          double[] expected = kfac.state().factor(one.name(), factor);
          check(results, one.name() + "." + factor, expected);
        }
        assertThat(results)
            .hasSize(kfac.state().factors(one.name()).size() + (bias == null ? 1 : 2));
      }
    }
  }

  /** The same numbers, rounded to the type of the file. */
  private static void check(Map<String, StoredTensor> results, String name, double[] expected) {
    StoredTensor actual = results.get(name);
    assertThat(Bench.values(actual))
        .as(name)
        .containsExactly(actual.dtype() == DType.F64 ? expected : Fixtures.rounded(expected));
  }

  private HostTensor put(Bench bench, String name, DType dtype, boolean ids, int... shape) {
    int size = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    double[] values =
        ids ? random.ints(size, 0, 6).asDoubleStream().toArray() : Fixtures.gaussian(random, size);
    bench.put(name, dtype, values, Arrays.stream(shape).asLongStream().toArray());
    return dtype == DType.F64 ? HostTensor.of(values, shape) : Fixtures.direct(values, shape);
  }

  private static int[] extents(Shape shape) {
    int[] extents = new int[shape.rank()];
    Arrays.setAll(extents, shape::get);
    return extents;
  }
}
