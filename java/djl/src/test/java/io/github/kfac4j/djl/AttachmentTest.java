package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.Trainer;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.KfacFactory;
import io.github.kfac4j.trainer.StepTimes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From attaching to closing, and what goes wrong in between. */
class AttachmentTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDamping(0.03).withIntervals(2, 4);

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void passesThatDoNotTrainAreNotRecorded() {
    try (Model model = Nets.model(Nets.cnn());
        Trainer trainer = model.newTrainer(Nets.config(0.02f));
        NDManager manager = trainer.getManager().newSubManager()) {
      trainer.initialize(Nets.IMAGES);
      NDList data = new NDList(Nets.images(manager, 1).head());
      int plain = arraysMadeWithoutTraining(trainer, data);
      try (DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.monteCarlo(1), backend)) {
        assertThat(arraysMadeWithoutTraining(trainer, data)).isEqualTo(plain);
        assertThatIllegalStateException()
            .isThrownBy(kfac::precondition)
            .withMessageStartingWith("there is no training pass to precondition");
      }
    }
  }

  /** A validation pass, and a training pass outside of a gradient collector. */
  private static int arraysMadeWithoutTraining(Trainer trainer, NDList data) {
    int before = trainer.getManager().getManagedArrays().size();
    float[] validation = trainer.evaluate(data).head().toFloatArray();
    assertThat(trainer.forward(data).head().toFloatArray()).isEqualTo(validation);
    return trainer.getManager().getManagedArrays().size() - before;
  }

  @Test
  void theConventionIsToldWhichFisherTheObservationsAreOf() {
    for (Fisher fisher : List.of(Fisher.EMPIRICAL, Fisher.monteCarlo(1), Fisher.exact())) {
      try (Model model = Nets.model(Nets.cnn());
          DjlKfac kfac = DjlKfac.attach(model, OPTIONS, fisher, backend);
          Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
        trainer.initialize(Nets.IMAGES);
        assertThat(kfac.kfac().options().estimator()).isEqualTo(fisher.estimator());
      }
    }
  }

  @Test
  void missingBackwardPassIsAnError() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f));
        NDManager manager = trainer.getManager().newSubManager()) {
      trainer.initialize(Nets.IMAGES);
      try (var collector = trainer.newGradientCollector()) {
        assertThat(collector).isNotNull();
        trainer.forward(new NDList(Nets.images(manager, 1).head()));
      }
      assertThatIllegalStateException()
          .isThrownBy(kfac::precondition)
          .withMessageStartingWith(
              "no layer has a gradient from the last forward pass in training: run its backward"
                  + " pass before precondition()");
    }
  }

  @Test
  void nanInTheDataNamesTheLayerAndChangesNothing() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f));
        NDManager manager = trainer.getManager().newSubManager()) {
      trainer.initialize(Nets.IMAGES);
      NDList data = Nets.images(manager, 1);
      data.head().toByteBuffer(true).asFloatBuffer().put(17, Float.NaN);
      Nets.pass(trainer, data);
      assertThatIllegalArgumentException()
          .isThrownBy(kfac::precondition)
          .withMessage(
              "layer '01Conv2d': input holds a NaN or infinity at flat index 17; discardStep()"
                  + " drops this step");
      assertThat(((Kfac) kfac.kfac()).state().step()).isZero();
    }
  }

  /** A residual that fp64 cannot reach: Cholesky has to help. */
  @Test
  void inversionsThatNeededAFallbackAreInTheLog() {
    InversePolicy policy = new InversePolicy(InversePolicy.Method.NEWTON_SCHULZ, 1e-300, 2, 10, 3);
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac =
            DjlKfac.attach(model, OPTIONS.withInversePolicy(policy), Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      Nets.step(trainer, kfac, 1);
      assertThat(kfac.lastReport().orElseThrow().fallbacks())
          .hasSize(3)
          .anyMatch(line -> line.startsWith("K-FAC step 1, layer 04Linear: A residual too large"));
      Nets.step(trainer, kfac, 2);
      assertThat(kfac.lastReport().orElseThrow().fallbacks()).isEmpty(); // nothing was inverted
    }
  }

  @Test
  void shapesAreNeededBeforeTheState() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend)) {
      assertThatIllegalStateException()
          .isThrownBy(kfac::kfac)
          .withMessage("initialize the model first: trainer.initialize(shape)");
    }
  }

  /** As for a layer that is too large: said before anything is trained, nothing has changed. */
  @Test
  void whatKfacRefusesIsSaidWhenItIsAttachedOrTheModelInitialized() {
    KfacFactory refusing =
        (layers, options) -> {
          throw new IllegalArgumentException("too large: " + layers.keySet());
        };
    String message = "too large: [01Conv2d, 04Linear, 06Linear]";
    try (Model model = Nets.model(Nets.cnn())) {
      try (DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, refusing);
          Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
        assertThat(kfac.layers()).hasSize(3);
        assertThatIllegalArgumentException()
            .isThrownBy(() -> trainer.initialize(Nets.IMAGES))
            .withMessage(message);
      }
      try (Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
        trainer.initialize(Nets.IMAGES);
        Block block = model.getBlock();
        List<Block> children = block.getChildren().values();
        assertThatIllegalArgumentException()
            .isThrownBy(() -> DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, refusing))
            .withMessage(message);
        assertThat(model.getBlock()).isSameAs(block);
        assertThat(block.getChildren().values()).isEqualTo(children);
      }
    }
  }

  @Test
  void modelServesOnAfterClosing() {
    try (Model model = Nets.model(Nets.cnn());
        Trainer trainer = model.newTrainer(Nets.config(0.02f));
        NDManager manager = trainer.getManager().newSubManager()) {
      trainer.initialize(Nets.IMAGES);
      DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
      Nets.step(trainer, kfac, 1);
      kfac.close();
      kfac.close(); // does no harm
      Nets.pass(trainer, Nets.images(manager, 2));
      trainer.step();
      assertThat(trainer.evaluate(new NDList(Nets.images(manager, 2).head())).head().getShape())
          .isEqualTo(new Shape(Nets.BATCH, Nets.CLASSES));
    }
  }

  @Test
  void timesAreThoseOfTheLastStep() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.monteCarlo(1), backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      Nets.step(trainer, kfac, 0);
      StepTimes first = kfac.lastTimes().orElseThrow();
      assertThat(first.sample()).isPositive();
      assertThat(first.observe()).isPositive();
      assertThat(first.total())
          .isEqualTo(first.sample() + first.observe() + first.refresh() + first.precondition());
      Nets.step(trainer, kfac, 1);
      assertThat(kfac.lastTimes().orElseThrow().sample()).isZero();
      assertThat(kfac.lastTimes().orElseThrow().precondition()).isPositive();
    }
  }

  /** A model that was loaded is trainable without trainer.initialize, with K-FAC as without. */
  @Test
  void loadedModelIsTrained(@TempDir Path directory) throws IOException, MalformedModelException {
    try (Model model = Nets.model(Nets.cnn());
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      model.save(directory, "saved");
    }
    try (Model model = Nets.model(Nets.cnn())) {
      model.load(directory, "saved");
      try (DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
          Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
        float first = Nets.step(trainer, kfac, 1);
        float second = Nets.step(trainer, kfac, 1);
        assertThat(second).isLessThan(first);
      }
    }
  }

  @Test
  void trainerOfAnotherModelIsRefused() {
    try (Model model = Nets.model(Nets.cnn());
        Model other = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend)) {
      DefaultTrainingConfig config = Nets.config(0.02f).addTrainingListeners(kfac);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> other.newTrainer(config))
          .withMessage("K-FAC is attached to another model than the trainer's");
    }
  }
}
