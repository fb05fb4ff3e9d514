package io.github.kfac4j.examples;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import io.github.kfac4j.djl.DjlKfac;
import io.github.kfac4j.options.KfacOptions;
import java.util.Locale;

/** A CNN in a loop of one's own on DJL: K-FAC is one call between backward pass and step. */
public final class DjlLoop {
  private static final int BATCH = 64;

  private DjlLoop() {}

  /** Trains two epochs of 20 steps. */
  public static void main(String[] args) throws Exception {
    Engine.getInstance().setRandomSeed(1);
    try (Model model = Model.newInstance("cnn");
        NDManager manager = NDManager.newBaseManager()) {
      model.setBlock(network());
      ArrayDataset data = DjlData.of(manager, Images.training(20 * BATCH), BATCH);
      KfacOptions options = KfacOptions.DEFAULT.withDamping(0.03);
      try (Trainer trainer = model.newTrainer(config(0.03f));
          DjlKfac kfac = DjlKfac.attach(model, options)) {
        trainer.initialize(new Shape(BATCH, 1, Images.SIZE, Images.SIZE));
        for (int epoch = 0; epoch < 2; epoch++) {
          double sum = 0;
          for (Batch batch : trainer.iterateDataset(data)) {
            sum += step(trainer, kfac, batch);
          }
          System.out.printf(Locale.ROOT, "epoch %d mean loss %.3f%n", epoch, sum / 20);
        }
      }
    }
  }

  /** One training step; returns its loss. */
  static float step(Trainer trainer, DjlKfac kfac, Batch batch) {
    float value;
    try (GradientCollector collector = trainer.newGradientCollector()) {
      NDList output = trainer.forward(batch.getData());
      NDArray loss = trainer.getLoss().evaluate(batch.getLabels(), output);
      collector.backward(loss);
      value = loss.getFloat();
    }
    kfac.precondition();
    trainer.step();
    batch.close();
    return value;
  }

  static DefaultTrainingConfig config(float rate) {
    return new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
        .optOptimizer(Optimizer.sgd().setLearningRateTracker(Tracker.fixed(rate)).build());
  }

  static Block network() {
    return new SequentialBlock()
        .add(Conv2d.builder().setKernelShape(new Shape(5, 5)).setFilters(8).build())
        .add(Activation::relu)
        .add(Pool.maxPool2dBlock(new Shape(4, 4), new Shape(4, 4)))
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(64).build())
        .add(Activation::relu)
        .add(Linear.builder().setUnits(Images.CLASSES).build());
  }
}
