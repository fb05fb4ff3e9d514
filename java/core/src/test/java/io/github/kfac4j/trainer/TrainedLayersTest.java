package io.github.kfac4j.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import java.text.MessageFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ResourceBundle;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Layers that are frozen, unfrozen and left out, of a model that is a list. */
class TrainedLayersTest {
  private static final System.Logger LOG = System.getLogger(TrainedLayersTest.class.getName());

  /** Keeps what it is told. */
  private static final class Recorder implements System.Logger {
    private final List<String> lines = new ArrayList<>();

    @Override
    public String getName() {
      return "recorder";
    }

    @Override
    public boolean isLoggable(Level level) {
      return true;
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String message, Throwable thrown) {
      lines.add(level + " " + message);
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String format, Object... parameters) {
      lines.add(level + " " + MessageFormat.format(format, parameters));
    }
  }

  private static final KfacOptions OPTIONS = KfacOptions.DEFAULT;

  /** A layer of the model; {@code layer} is null where it cannot be mapped. */
  private static final class Block implements ModelLayer {
    private final String name;
    private final boolean mapped;
    private boolean trains = true;
    private boolean trainsBias = true;

    Block(String name, boolean mapped) {
      this.name = name;
      this.mapped = mapped;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public boolean trains() {
      return trains;
    }

    @Override
    public boolean trainsBias() {
      return trainsBias;
    }

    @Override
    public Layer describe(boolean bias) {
      if (!mapped) {
        throw new IllegalArgumentException("its axis is not known");
      }
      return name.equals("words") ? new Embedding(4, 3) : new Dense(3, 2, bias);
    }
  }

  private final List<Set<String>> made = new ArrayList<>();
  private final Block fc = new Block("fc", true);
  private final Block head = new Block("head", true);

  private KfacPreconditioner make(Map<String, Layer> layers, KfacOptions options) {
    made.add(Set.copyOf(layers.keySet()));
    return new Kfac(new JavaBackend(), layers, options);
  }

  private TrainedLayers of(KfacOptions options, Set<String> leftOut, Block... blocks) {
    return new TrainedLayers(List.of(blocks), options, this::make, leftOut, LOG);
  }

  @Test
  void whatIsUnfrozenJoinsAndTheStateOfTheOthersGoesOn() {
    head.trains = false;
    KfacOptions options = OPTIONS.withApproximation("head", Approximation.EKFAC);
    try (TrainedLayers layers = of(options, Set.of(), fc, head)) {
      assertThat(layers.has(head)).isTrue(); // as far as is known yet
      assertThat(layers.update()).isTrue();
      assertThat(layers.update()).isFalse();
      assertThat(layers.has(head)).isFalse();
      HostTensor x = HostTensor.of(new double[] {1, 2, 3}, 1, 3);
      HostTensor g = HostTensor.of(new double[] {1, 2}, 1, 2);
      layers.kfac().observe(List.of(Observation.ofSumLoss("fc", x, g)));
      layers.kfac().reconfigure(layers.kfac().options().withDamping(0.5));
      Map<String, StoredTensor> before = layers.kfac().toTensors();
      head.trains = true;
      assertThat(layers.update()).isTrue();
      assertThat(layers.layer(head)).isEqualTo(new Dense(3, 2, true));
      assertThat(layers.kfac().toTensors()).containsAllEntriesOf(before);
      assertThat(layers.kfac().options().damping()).isEqualTo(0.5);
      assertThat(layers.kfac().options().approximationOf("head")).isEqualTo(Approximation.EKFAC);
      fc.trains = false; // waits
      assertThat(layers.update()).isFalse();
      assertThat(layers.has(fc)).isTrue();
      assertThat(made).containsExactly(Set.of("fc"), Set.of("fc", "head"));
      head.trainsBias = false; // its gradient alone is missing
      assertThat(layers.update()).isTrue();
      assertThat(layers.layer(head)).isEqualTo(new Dense(3, 2, false));
    }
  }

  @Test
  void whatIsUnfrozenIsLoggedOnce() {
    Recorder log = new Recorder();
    head.trains = false;
    try (TrainedLayers layers =
        new TrainedLayers(List.of(fc, head), OPTIONS, this::make, Set.of(), log)) {
      layers.update();
      log.lines.clear();
      head.trains = true;
      for (int step = 0; step < 3; step++) {
        layers.update();
      }
      assertThat(log.lines)
          .containsExactly(
              "INFO K-FAC from step 0 on: parameters unfrozen [head weight], frozen []");
    }
  }

  @Test
  void whatCannotBeMappedOrHasNoConventionIsLeftToTheOptimizer() {
    Block norm = new Block("norm", false);
    Block words = new Block("words", true);
    KfacOptions options = OPTIONS.withConvention(Convention.KFAC_PYTORCH);
    try (TrainedLayers layers = of(options, Set.of("head"), fc, head, norm, words)) {
      layers.update();
      assertThat(made).containsExactly(Set.of("fc"));
      assertThat(layers.has(norm) || layers.has(words) || layers.has(head)).isFalse();
    }
  }

  @Test
  void namesThatTheModelDoesNotHaveAreRefused() {
    assertThatThrownBy(() -> of(OPTIONS, Set.of("fd"), fc))
        .hasMessage("the model has no layer 'fd'; it has [fc]");
    try (TrainedLayers layers =
        new TrainedLayers(
            List.of(fc),
            OPTIONS,
            (offered, options) -> {
              KfacPreconditioner kfac = make(offered, options);
              offered.clear();
              return kfac;
            },
            Set.of(),
            LOG)) {
      assertThatThrownBy(layers::update)
          .hasMessage("no layer of the model is left for K-FAC, of [fc]");
      assertThat(layers.kfac()).isNull();
    }
  }
}
