package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.Trainer;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Layers of which the program knows more than their blocks tell. */
class DescribedLayersTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDamping(0.1).withIntervals(2, 4);
  private static final String FC = "04Linear";

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private DjlKfac attach(Model model, KfacOptions options, Consumer<Map<String, Layer>> change) {
    return DjlKfac.attach(
        model,
        options,
        Fisher.monteCarlo(1),
        (layers, settings) -> {
          change.accept(layers);
          return new Kfac(backend, layers, settings);
        });
  }

  private static void step(Trainer trainer, DjlKfac kfac, long seed) {
    try (NDManager batch = trainer.getManager().newSubManager()) {
      NDList data = Nets.images(batch, seed);
      Nets.pass(trainer, data);
      kfac.precondition();
      trainer.step();
    }
  }

  @Test
  void aLayerBehindAFeatureMapCanBeDoublyFactored() {
    KfacOptions options = OPTIONS.withApproximation(FC, Approximation.DOUBLY_FACTORED);
    Layer map = new FlattenedDense(4, 36, 16, true, false);
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = attach(model, options, layers -> layers.put(FC, map));
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      float first = 0;
      float last = 0;
      for (int step = 0; step < 40; step++) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
          NDList data = Nets.images(batch, step);
          last = Nets.pass(trainer, data);
          first = step == 0 ? last : first;
          kfac.precondition();
          trainer.step();
        }
      }
      assertThat(((Kfac) kfac.kfac()).state().factors(FC))
          .containsExactly("positions", "channels", "G");
      assertThat(((Kfac) kfac.kfac()).state().factor(FC, "positions")).hasSize(36 * 36);
      assertThat(last).isLessThan(0.5f * first);
    }
  }

  @Test
  void aLayerThatIsRemovedIsLeftToTheOptimizer() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = attach(model, OPTIONS, layers -> layers.remove(FC));
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      step(trainer, kfac, 1);
      assertThat(kfac.layers()).containsExactly("01Conv2d", "06Linear");
      assertThat(kfac.unsupportedLayers()).containsExactly("04Linear (Linear)");
    }
  }

  @Test
  void aLayerThatTheModelHasNotIsRefused() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = attach(model, OPTIONS, l -> l.put("fc", new Dense(2, 2, true)));
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      assertThat(kfac.layers()).hasSize(3);
      assertThatThrownBy(() -> trainer.initialize(Nets.IMAGES))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the model has no layer 'fc'; it has [01Conv2d, 04Linear, 06Linear]");
    }
  }

  @Test
  void ekfacNeedsObservationsBetweenRefreshes() {
    KfacOptions ekfac = OPTIONS.withApproximation(Approximation.EKFAC);
    try (Model model = Nets.model(Nets.cnn())) {
      assertThatThrownBy(
              () -> DjlKfac.attach(model, ekfac.withIntervals(1, 1), Fisher.EMPIRICAL, backend))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("EKFAC measures its moments between refreshes");
    }
  }
}
