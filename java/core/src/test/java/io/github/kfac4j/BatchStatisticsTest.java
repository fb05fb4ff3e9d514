package io.github.kfac4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.StateMatrix;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.data.LayerStatistics.Moment;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Statistics of shards, added by their weights, are those of the whole batch. */
class BatchStatisticsTest {
  private static final Map<String, Layer> LAYERS =
      Map.of("conv", Conv2d.of(2, 3, Window.of(2, 2)), "fc", new Dense(5, 4, true));

  private final Random random = new Random(7);

  /** Images [n, 2, 3, 3] with 4 positions after the convolution, rows for the dense layer. */
  private List<Observation> batch(int n) {
    return List.of(
        new Observation("conv", tensor(n, 2, 3, 3), tensor(n, 3, 2, 2), 2),
        new Observation("fc", tensor(n, 5), tensor(n, 4), 2));
  }

  private HostTensor tensor(int... shape) {
    int size = IntStream.of(shape).reduce(1, (a, b) -> a * b);
    return HostTensor.of(Networks.gaussian(random, size), shape);
  }

  private static Observation part(Observation whole, int from, int to) {
    return new Observation(
        whole.layer(),
        part((HostTensor) whole.input(), from, to),
        part((HostTensor) whole.outputGrad(), from, to),
        whole.outputGradScale());
  }

  private static HostTensor part(HostTensor whole, int from, int to) {
    int[] shape = new int[whole.shape().rank()];
    Arrays.setAll(shape, whole.shape()::get);
    int row = whole.size() / shape[0];
    shape[0] = to - from;
    return HostTensor.of(Arrays.copyOfRange(whole.toArray(), from * row, to * row), shape);
  }

  private static Map<String, LayerStatistics> union(
      BatchStatistics any, List<Map<String, LayerStatistics>> shards, Set<String> layers) {
    Map<String, LayerStatistics> union = new LinkedHashMap<>();
    for (String layer : layers) {
      double total = shards.stream().mapToDouble(s -> s.get(layer).examples()).sum();
      Map<String, Moment> sums = new LinkedHashMap<>();
      for (var shard : shards) {
        LayerStatistics part = shard.get(layer);
        for (Moment moment : part.moments()) {
          double w = any.weight(moment, part, total);
          double[] x = moment.elements();
          double[] sum =
              sums.computeIfAbsent(moment.name(), k -> moment.with(new double[x.length]))
                  .elements();
          Arrays.setAll(sum, i -> sum[i] + w * x[i]);
        }
      }
      int positions = shards.stream().mapToInt(s -> s.get(layer).positions()).max().orElse(1);
      union.put(layer, new LayerStatistics(total, positions, List.copyOf(sums.values())));
    }
    return union;
  }

  private static Moment moment(LayerStatistics statistics, String name) {
    return statistics.moments().stream()
        .filter(m -> m.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static Map<String, LayerStatistics> all(BatchStatistics statistics) {
    Map<String, LayerStatistics> all = new LinkedHashMap<>();
    LAYERS.keySet().forEach(layer -> all.put(layer, statistics.of(layer)));
    return all;
  }

  private void shardsAddUp(KfacOptions options) {
    try (Kfac whole = new Kfac(new JavaBackend(), LAYERS, options);
        Kfac sharded = new Kfac(new JavaBackend(), LAYERS, options);
        BatchStatistics one = new BatchStatistics(new JavaBackend(), LAYERS, options);
        BatchStatistics other = new BatchStatistics(new JavaBackend(), LAYERS, options);
        BatchStatistics empty = new BatchStatistics(new JavaBackend(), LAYERS, options)) {
      for (int step = 0; step < 3; step++) {
        List<Observation> batch = batch(7);
        whole.observe(batch);
        one.reset();
        other.reset();
        one.observe(batch.stream().map(o -> part(o, 0, 2)).toList(), Share.ALL);
        other.observe(batch.stream().map(o -> part(o, 2, 7)).toList(), Share.ALL);
        sharded.add(union(one, List.of(all(one), all(other), all(empty)), LAYERS.keySet()));
        whole.state().layers().values().forEach(layer -> assertEqual(layer, sharded));
      }
    }
  }

  private static void assertEqual(LayerState expected, Kfac actual) {
    LayerState layer = actual.state().layer(expected.name);
    for (StateMatrix matrix : expected.matrices()) {
      assertThat(layer.stack(matrix.key()).toArray())
          .as(expected.name + "." + matrix.key())
          .containsExactly(matrix.stack().toArray(), offset(1e-12));
    }
    assertThat(layer.counters.toArray())
        .containsExactly(expected.counters.toArray(), offset(1e-12));
  }

  @ParameterizedTest
  @EnumSource(Convention.class)
  void shardsAddUpToTheBatch(Convention convention) {
    shardsAddUp(KfacOptions.DEFAULT.withConvention(convention));
  }

  @ParameterizedTest
  @EnumSource(Fisher.Estimator.class)
  void shardsAddUpUnderKfacJaxWhateverTheEstimator(Fisher.Estimator estimator) {
    shardsAddUp(KfacOptions.DEFAULT.withConvention(Convention.KFAC_JAX).withEstimator(estimator));
  }

  @ParameterizedTest
  @EnumSource(names = {"KFC", "TENSORFLOW_KFAC", "KFAC_JAX"})
  void shardsAddUpForADiagonal(Convention convention) {
    shardsAddUp(
        KfacOptions.DEFAULT
            .withDampingMode(DampingMode.EXACT)
            .withConvention(convention)
            .withApproximation(Approximation.DIAGONAL));
  }

  @Test
  void tiedEmbeddingsAreRefusedInShardsWhereTheConventionDividesGradientsAloneTwice() {
    Map<String, Layer> layers = Map.of("words", new Embedding(6, 4));
    KfacOptions options = KfacOptions.DEFAULT.withConvention(Convention.KFAC_JAX);
    Observation lookup =
        Observation.ofSumLoss("words", HostTensor.of(new double[] {1, 5}, 2), tensor(2, 4));
    Observation logits = Observation.ofSumLoss("words", tensor(2, 4), tensor(2, 6));
    try (BatchStatistics shard = new BatchStatistics(new JavaBackend(), layers, options)) {
      shard.observe(List.of(lookup), Share.ALL);
      shard.reset();
      assertThatThrownBy(() -> shard.observe(List.of(lookup, logits), Share.ALL))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "layer 'words': an embedding tied to the softmax has no shards under the convention"
                  + " kfac-jax with the empirical Fisher; choose another convention or estimator");
      assertThat(shard.of("words").examples()).isZero();
    }
  }

  @Test
  void shardsAddUpForDoublyFactoredBlocks() {
    Map<String, Layer> layers = Map.of("fc", new FlattenedDense(3, 4, 5, true, false));
    KfacOptions options =
        KfacOptions.DEFAULT.withApproximation("fc", Approximation.DOUBLY_FACTORED);
    try (Kfac whole = new Kfac(new JavaBackend(), layers, options);
        Kfac sharded = new Kfac(new JavaBackend(), layers, options);
        BatchStatistics one = new BatchStatistics(new JavaBackend(), layers, options);
        BatchStatistics other = new BatchStatistics(new JavaBackend(), layers, options)) {
      Observation batch = new Observation("fc", tensor(7, 12), tensor(7, 5), 2);
      whole.observe(List.of(batch));
      one.observe(List.of(part(batch, 0, 2)), Share.ALL);
      other.observe(List.of(part(batch, 2, 7)), Share.ALL);
      sharded.add(
          union(
              one,
              List.of(Map.of("fc", one.of("fc")), Map.of("fc", other.of("fc"))),
              layers.keySet()));
      assertEqual(whole.state().layer("fc"), sharded);
      sharded.refresh(); // its averages have a weight
    }
  }

  @Test
  void microBatchesAreAveraged() {
    KfacOptions options = KfacOptions.DEFAULT;
    List<Observation> batch = batch(6);
    try (BatchStatistics whole = new BatchStatistics(new JavaBackend(), LAYERS, options);
        BatchStatistics micro = new BatchStatistics(new JavaBackend(), LAYERS, options)) {
      micro.observe(batch(6), Share.of(0.5)); // a step that is given up
      micro.reset();
      whole.observe(batch, Share.ALL);
      micro.observe(batch.stream().map(o -> part(o, 0, 3)).toList(), Share.of(0.5));
      micro.observe(batch.stream().map(o -> part(o, 3, 6)).toList(), Share.of(0.5));
      for (String layer : LAYERS.keySet()) {
        assertThat(micro.of(layer).examples()).isEqualTo(3);
        assertThat(moment(micro.of(layer), "A").elements())
            .containsExactly(moment(whole.of(layer), "A").elements(), offset(1e-12));
      }
    }
  }

  @Test
  void statisticsThatDoNotFitAreRefusedAndChangeNothing() {
    KfacOptions options = KfacOptions.DEFAULT;
    try (Kfac kfac = new Kfac(new JavaBackend(), LAYERS, options);
        BatchStatistics statistics = new BatchStatistics(new JavaBackend(), LAYERS, options)) {
      statistics.observe(batch(3), Share.ALL);
      var before = kfac.state().toTensors();
      Map<String, LayerStatistics> bad = all(statistics);
      moment(bad.get("fc"), "G").elements()[2] = Double.NaN;
      assertThatThrownBy(() -> kfac.add(bad))
          .hasMessage(
              "layer 'fc': G of the batch holds a NaN or infinity at flat index 2; discardStep()"
                  + " drops this step");
      LayerStatistics fc = bad.get("fc");
      bad.put("fc", new LayerStatistics(3, 1, List.of(moment(fc, "G"))));
      assertThatThrownBy(() -> kfac.add(bad))
          .hasMessage("layer 'fc': the statistics have no elements of A, expected 36");
      assertThatThrownBy(() -> kfac.add(Map.of("x", statistics.of("fc"))))
          .hasMessageContaining("layer 'x': unknown layer");
      assertThat(kfac.state().toTensors()).isEqualTo(before);
    }
  }

  @Test
  void ekfacIsRefused() {
    KfacOptions options =
        KfacOptions.DEFAULT
            .withDampingMode(DampingMode.EXACT)
            .withApproximation(Approximation.EKFAC);
    assertThatThrownBy(() -> new BatchStatistics(new JavaBackend(), LAYERS, options))
        .hasMessageContaining("EKFAC");
  }
}
