package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.layer.WeightSharing;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A state is taken by what it belongs to, and by nothing else. */
class StateIdentityTest {
  private static final Window ONE = Window.of(3, 3);

  /** Layers of which many have matrices of the same sizes. */
  private static List<Layer> kinds() {
    return List.of(
        new Dense(9, 2, false),
        new Dense(8, 2, true),
        new Dense(9, 2, false, WeightSharing.REDUCE),
        new FlattenedDense(9, 1, 2, false, false),
        new FlattenedDense(3, 3, 2, false, false),
        new Conv1d(3, 2, Conv1d.window(3, 1, 0, 1), 1, false),
        Conv2d.of(1, 2, ONE),
        Conv2d.of(1, 2, ONE.withStride(2, 2)),
        Conv2d.of(1, 2, ONE.withPadding(1, 1)),
        Conv2d.of(1, 2, ONE.withDilation(2, 2)),
        new ConvTranspose2d(9, 1, Window.of(1, 2), 1, false),
        ScaleShift.of(3),
        new ScaleShift(3, ScaleShift.Structure.FULL, true, false, 1),
        new Embedding(9, 2),
        new Embedding(9, 2, false));
  }

  private static List<Kfac> everyPair() {
    List<Kfac> all = new ArrayList<>();
    for (Layer layer : kinds()) {
      for (Approximation approximation : Approximation.values()) {
        for (Convention convention : Convention.values()) {
          for (DampingMode mode : approximation.dampingModes()) {
            try {
              KfacOptions options =
                  OPTIONS
                      .withApproximation(approximation)
                      .withDampingMode(mode)
                      .withConvention(convention);
              all.add(new Kfac(new JavaBackend(), Map.of("layer", layer), options));
            } catch (IllegalArgumentException absent) {
              assertThat(absent)
                  .hasMessageMatching(".*(approximation|DOUBLY_FACTORED|kfac-pytorch).*");
            }
          }
        }
      }
    }
    return all;
  }

  @Test
  void ofEveryPairOfKindApproximationConventionAndDampingModeOnlyEqualsFit() {
    List<Kfac> all = everyPair();
    assertThat(all).hasSizeGreaterThan(150);
    List<Map<String, StoredTensor>> states = all.stream().map(Kfac::toTensors).toList();
    int taken = 0;
    for (int here = 0; here < all.size(); here++) {
      Kfac kfac = all.get(here);
      for (int there = 0; there < all.size(); there++) {
        Map<String, StoredTensor> state = states.get(there);
        if (here == there) {
          kfac.restore(state);
          taken++;
        } else {
          assertThat(catchThrowable(() -> kfac.restore(state)))
              .as("state %d into %d", there, here)
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageStartingWith("layer 'layer': the saved K-FAC state belongs to")
              .hasMessageContainingAll(" there, ", " here");
        }
      }
      assertThat(kfac.toTensors()).isEqualTo(states.get(here));
    }
    assertThat(taken).isEqualTo(all.size());
    all.forEach(Kfac::close);
  }

  @Test
  void bothSidesAreNamed() {
    KfacOptions jax = OPTIONS.withConvention(Convention.KFAC_JAX);
    try (Kfac saved = Networks.kfac(Conv2d.of(1, 2, ONE), OPTIONS);
        Kfac other = Networks.kfac(Conv2d.of(1, 2, ONE.withStride(2, 2)), jax)) {
      assertThatThrownBy(() -> other.restore(saved.toTensors()))
          .hasMessageContaining("layer Conv2d[")
          .hasMessageContaining("strideHeight=1, strideWidth=1")
          .hasMessageContaining("strideHeight=2, strideWidth=2")
          .hasMessageContaining("convention kfc there, kfac-jax of the empirical Fisher here");
    }
    KfacOptions adaptive = OPTIONS.withIntervals(Intervals.adaptive(0.1));
    try (Kfac saved = Networks.kfac(new Dense(3, 2, true), adaptive);
        Kfac other = Networks.kfac(new Dense(3, 2, true), OPTIONS)) {
      assertThatThrownBy(() -> other.restore(saved.toTensors()))
          .hasMessageContaining("intervals found by each layer there, of all layers here");
    }
  }

  /** kfac-jax scales the output factor of the empirical Fisher by another constant. */
  @Test
  void anEstimatorThatTheConventionDependsOnIsAPartOfIt() {
    KfacOptions jax = OPTIONS.withConvention(Convention.KFAC_JAX);
    KfacOptions sampled = jax.withEstimator(Fisher.Estimator.MONTE_CARLO);
    try (Kfac saved = trained(jax);
        Kfac other = trained(sampled);
        Kfac kfc = trained(OPTIONS);
        Kfac sampledKfc = trained(OPTIONS.withEstimator(Fisher.Estimator.MONTE_CARLO))) {
      assertThatThrownBy(() -> other.restore(saved.toTensors()))
          .hasMessageContaining("convention kfac-jax of the empirical Fisher there, kfac-jax here");
      sampledKfc.restore(kfc.toTensors());
    }
  }

  @Test
  void whatMayChangeFreelyStillMay() {
    KfacOptions changed =
        OPTIONS
            .withDamping(0.5)
            .withDecay(0.3)
            .withKlClip(0.1, 3)
            .withIntervals(Intervals.of(2, 6).withBurnIn(1))
            .withMaxExamples(3)
            .withInversePolicy(new InversePolicy(0, 10, 1));
    try (Kfac saved = trained(OPTIONS);
        Kfac other = Networks.kfac(new Dense(3, 2, true), changed)) {
      other.restore(saved.toTensors());
      assertThat(other.toTensors()).isEqualTo(saved.toTensors());
    }
  }

  /** An approximation that one layer has for itself brings its damping mode along. */
  @Test
  void aLayerOfItsOwnApproximationFitsWhereAllLayersHaveIt() {
    KfacOptions own = OPTIONS.withApproximation("layer", Approximation.EKFAC);
    try (Kfac all = trained(OPTIONS.withApproximation(Approximation.EKFAC));
        Kfac one = Networks.kfac(new Dense(3, 2, true), own)) {
      one.restore(all.toTensors());
      assertThat(one.toTensors()).isEqualTo(all.toTensors());
    }
  }

  private static Kfac trained(KfacOptions options) {
    Kfac kfac = Networks.kfac(new Dense(3, 2, true), options);
    kfac.observe(List.of(Networks.observation(matrix(1, 4, 3), matrix(2, 4, 2))));
    kfac.refresh();
    Networks.step(kfac, "layer", Networks.gaussian(new Random(5), 8));
    return kfac;
  }

  private static HostTensor matrix(int seed, int rows, int cols) {
    return HostTensor.of(Networks.gaussian(new Random(seed), rows * cols), rows, cols);
  }

  @Test
  void layersThatAreMissingOrTooManyAreRefused() {
    Map<String, Layer> two = new LinkedHashMap<>();
    two.put("layer", new Dense(3, 2, true));
    two.put("more", new Dense(2, 2, true));
    try (Kfac one = trained(OPTIONS);
        Kfac both = new Kfac(new JavaBackend(), two, OPTIONS)) {
      assertThatThrownBy(() -> both.restore(one.toTensors()))
          .hasMessageContaining("layer 'more'")
          .hasMessageContaining("no such layer");
      assertThatThrownBy(() -> one.restore(both.toTensors()))
          .hasMessage("layer 'more': is in the saved K-FAC state, but here are [layer]");
    }
  }

  @Test
  void aStateOfAnEarlierFormatIsRefusedWithTheReason(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("state.safetensors");
    try (Kfac kfac = trained(OPTIONS)) {
      Map<String, StoredTensor> before = kfac.toTensors();
      Map<String, StoredTensor> old = new LinkedHashMap<>(before);
      old.remove("layer.identity");
      old.put("layer.counters", StoredTensor.of(new double[] {1, 0, 1, 0, 0, 0, 0, 0}, 8));
      assertThatThrownBy(() -> kfac.restore(old))
          .hasMessageContaining("layer 'layer': the saved K-FAC state does not say what it belongs")
          .hasMessageContaining("before format 3");
      new TensorFile(old, Map.of("kfac4j-state", "2")).write(file);
      assertThatThrownBy(() -> kfac.state().load(file))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("format 2, but this version reads format 3");
      new TensorFile(before, Map.of()).write(file);
      assertThatThrownBy(() -> kfac.state().load(file)).hasMessageContaining("not a kfac4j state");
      assertThat(kfac.toTensors()).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, NaN, weight of the factors NaN",
    "0, 1.5, weight of the factors 1.5",
    "1, -0.1, weight of the moments -0.1",
    "2, 0, number of positions 0.0",
    "2, 1.5, number of positions 1.5",
    "2, 3e9, number of positions 3.0E9",
    "3, -2, number of stale refreshes -2.0",
    "4, -1, step of the next refresh -1.0",
    "5, -1, last interval -1.0",
    "6, Infinity, interval before the last Infinity",
    "7, -1, damping in the moments -1.0",
    "8, 2, mark of being observed 2.0",
    "8, 0, contradict",
    "9, 2, 'a basis of A of 2 reflections, which must be 0'",
    "10, -1, number of reflections of the basis of G -1.0",
    "0, 0, contradict"
  })
  void countersThatCannotBeAreRefused(int index, double value, String words) {
    refused(
        state -> {
          double[] counters = new double[11];
          state.get("layer.counters").asDoubleBuffer().get(counters);
          counters[index] = value;
          state.put("layer.counters", StoredTensor.of(counters, 11));
        },
        words);
  }

  /** As states were before bases could be stored as reflections. */
  @Test
  void countersWithoutReflectionsAreRead() {
    try (Kfac kfac = trained(OPTIONS)) {
      Map<String, StoredTensor> now = kfac.toTensors();
      double[] counters = new double[9];
      now.get("layer.counters").asDoubleBuffer().get(counters);
      Map<String, StoredTensor> older = new HashMap<>(now);
      older.put("layer.counters", StoredTensor.of(counters, 9));
      kfac.restore(older);
      assertThat(kfac.toTensors()).isEqualTo(now);
    }
  }

  @Test
  void numbersThatAreNotFiniteAndStepsThatCannotBeAreRefused() {
    refused(
        state -> {
          double[] a = new double[10];
          state.get("layer.A").asDoubleBuffer().get(a);
          a[3] = Double.NaN;
          state.put("layer.A", StoredTensor.of(a, 1, 10));
        },
        "NaN in 'layer.A' at flat index");
    refused(state -> state.put("step", StoredTensor.of(new long[] {-1})), "-1 steps");
    refused(state -> state.put("step", StoredTensor.of(new double[] {1})), "'step' as F64[]");
  }

  private static void refused(Consumer<Map<String, StoredTensor>> damage, String words) {
    try (Kfac kfac = trained(OPTIONS)) {
      Map<String, StoredTensor> before = kfac.toTensors();
      Map<String, StoredTensor> damaged = new HashMap<>(before);
      damage.accept(damaged);
      assertThatThrownBy(() -> kfac.restore(damaged))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(words);
      assertThat(kfac.toTensors()).isEqualTo(before);
    }
  }
}
