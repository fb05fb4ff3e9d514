package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.approximation.Factors;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class KfacStateTest {
  private static final Dense LAYER = new Dense(5, 3, true);
  @TempDir Path directory;

  private static KfacOptions options(Approximation approximation) {
    return OPTIONS.withDecay(0.9).withIntervals(1, 2).withApproximation(approximation);
  }

  /** Step {@code step} of a run whose data depends on the number of the step alone. */
  private static double[] step(Kfac kfac, int step) {
    Random random = new Random(step);
    kfac.observe(
        List.of(
            Networks.observation(
                HostTensor.of(gaussian(random, 40), 8, 5),
                HostTensor.of(gaussian(random, 24), 8, 3))));
    if (kfac.wantsRefresh()) {
      kfac.refresh();
    }
    return Networks.step(kfac, "layer", gaussian(random, 18));
  }

  @Test
  void aLayerThatHasNotBeenObservedHasNoAverages() {
    try (Kfac kfac = Networks.kfac(LAYER, OPTIONS)) {
      assertThatThrownBy(() -> kfac.state().inputFactor("layer"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("layer 'layer': it has no average of A before it is observed");
      step(kfac, 0);
      assertThat(kfac.state().inputFactor("layer")).doesNotContain(Double.NaN);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = "DOUBLY_FACTORED")
  void aResumedRunContinuesBitByBit(Approximation approximation) throws IOException {
    Path file = directory.resolve("state.safetensors");
    try (Kfac straight = Networks.kfac(LAYER, options(approximation));
        Kfac resumed = Networks.kfac(LAYER, options(approximation))) {
      for (int i = 0; i < 5; i++) {
        step(straight, i);
      }
      straight.state().save(file);
      step(resumed, 99);
      resumed.state().load(file);
      assertThat(resumed.state().step()).isEqualTo(5);
      for (int i = 5; i < 9; i++) {
        assertThat(step(resumed, i)).containsExactly(step(straight, i));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, (1L << 52) + 1, Long.MAX_VALUE})
  void stepsBeyondTheRangeAreRefused(long steps) {
    try (Kfac kfac = Networks.kfac(LAYER, OPTIONS)) {
      Map<String, StoredTensor> saved = new HashMap<>(kfac.state().toTensors());
      saved.put("step", StoredTensor.of(new long[] {steps}));
      assertThatThrownBy(() -> kfac.state().restore(saved))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("%d steps", steps);
      assertThat(kfac.state().step()).isZero();
    }
  }

  @Test
  void aNameThatCannotBeSavedIsRefusedFromTheStart() {
    Map<String, Dense> layers = Map.of("\ud83d\ude00\ud83d.fc", LAYER);
    try (Backend backend = new JavaBackend()) {
      assertThatThrownBy(() -> new Kfac(backend, layers, OPTIONS))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("layer '\ud83d\ude00\\ud83d.fc': its name is not valid Unicode");
    }
  }

  @Test
  void aStateThatDoesNotFitIsRefusedAndChangesNothing() throws IOException {
    try (Kfac kfac = Networks.kfac(LAYER, options(Approximation.KRONECKER));
        Kfac other = Networks.kfac(new Dense(4, 3, true), OPTIONS)) {
      step(kfac, 0);
      Map<String, StoredTensor> before = kfac.state().toTensors();
      assertThatThrownBy(() -> kfac.state().restore(other.state().toTensors()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("layer 'layer'")
          .hasMessageContaining("Dense[inFeatures=4, outFeatures=3")
          .hasMessageContaining("Dense[inFeatures=5, outFeatures=3");
      Map<String, StoredTensor> misshapen = new HashMap<>(before);
      misshapen.put("layer.A", other.state().toTensors().get("layer.A"));
      assertThatThrownBy(() -> kfac.state().restore(misshapen))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'layer.A'")
          .hasMessageContaining("[1, 15]")
          .hasMessageContaining("[1, 6, 6]");
      Map<String, StoredTensor> partial = new HashMap<>(before);
      partial.remove("layer.G_inverse");
      assertThatThrownBy(() -> kfac.state().restore(partial))
          .hasMessageContaining("no tensor 'layer.G_inverse'");
      Path file = directory.resolve("state.safetensors");
      other.state().save(file);
      assertThatThrownBy(() -> kfac.state().load(file))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(file.toString());
      String unchecked =
          new String(Files.readAllBytes(saved(kfac)), ISO_8859_1).replace("crc32c", "xxxxxx");
      Files.write(file, unchecked.getBytes(ISO_8859_1));
      assertThatThrownBy(() -> kfac.state().load(file))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("has no checksum");
      Files.write(file, new byte[] {1, 2, 3});
      assertThatThrownBy(() -> kfac.state().load(file)).isInstanceOf(IOException.class);
      assertThat(kfac.state().toTensors()).isEqualTo(before);
    }
  }

  private Path saved(Kfac kfac) throws IOException {
    Path file = directory.resolve("saved.safetensors");
    kfac.state().save(file);
    return file;
  }

  /** As where another thread writes to an input between its check and its use. */
  @Test
  void aStateThatCouldNotBeLoadedIsNotSavedOverOneThatCan() throws IOException {
    Path file = directory.resolve("state.safetensors");
    try (Kfac kfac = Networks.kfac(LAYER, options(Approximation.KRONECKER))) {
      step(kfac, 0);
      kfac.state().save(file);
      byte[] good = Files.readAllBytes(file);
      double[] factor = kfac.state().layer("layer").stack(Factors.A).toArray();
      factor[7] = Double.NaN;
      kfac.state().layer("layer").stack(Factors.A).set(factor);
      String message = "cannot be saved, as it has NaN in 'layer.A' at flat index";
      assertThatThrownBy(() -> kfac.state().save(file))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(message);
      assertThatThrownBy(() -> kfac.save(file)).hasMessageContaining(message);
      assertThat(file).hasBinaryContent(good);
    }
  }
}
