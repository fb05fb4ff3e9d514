package io.github.kfac4j.examples;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import io.github.kfac4j.djl.DjlKfac;
import io.github.kfac4j.options.KfacOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Saves a training on DJL in the middle and goes on from the files: with the same losses. */
public final class DjlCheckpoint {
  private static final int BATCH = 64;
  private static final int STEPS = 10;
  private static final String STATE = "kfac.safetensors";

  private DjlCheckpoint() {}

  /** Trains 10 steps and 10 more, the latter twice. */
  public static void main(String[] args) throws Exception {
    Engine.getInstance().setRandomSeed(1);
    Path folder = Files.createTempDirectory("checkpoint");
    System.out.printf(Locale.ROOT, "without a break: %.3f%n", train(folder, false));
    System.out.printf(Locale.ROOT, "resumed: %.3f%n", train(folder, true));
  }

  private static float train(Path folder, boolean resume) throws Exception {
    KfacOptions options = KfacOptions.DEFAULT.withDamping(0.03);
    try (Model model = Model.newInstance("cnn");
        NDManager manager = NDManager.newBaseManager()) {
      model.setBlock(DjlLoop.network());
      if (resume) {
        model.load(folder, "cnn");
      }
      try (Trainer trainer = model.newTrainer(DjlLoop.config(0.03f));
          DjlKfac kfac = DjlKfac.attach(model, options)) {
        trainer.initialize(new Shape(BATCH, 1, Images.SIZE, Images.SIZE));
        if (resume) {
          kfac.kfac().load(folder.resolve(STATE));
        }
        float loss = 0;
        for (int step = (int) kfac.kfac().step(); step < 2 * STEPS; step++) {
          if (step == STEPS && !resume) {
            model.save(folder, "cnn");
            kfac.kfac().save(folder.resolve(STATE));
          }
          Images images = Images.training(2 * STEPS * BATCH).batch(step, BATCH);
          Batch batch = DjlData.of(manager, images, BATCH).getData(manager).iterator().next();
          loss = DjlLoop.step(trainer, kfac, batch);
        }
        return loss;
      }
    }
  }
}
