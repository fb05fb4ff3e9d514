package io.github.kfac4j.benchmarks.own;

import ai.djl.Model;
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
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.NetworkCase;
import io.github.kfac4j.benchmarks.run.Work;
import io.github.kfac4j.djl.DjlKfac;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;

/** Ten training steps of the Simple CNN of Shallue et al. (2019) in DJL, with or without K-FAC. */
public final class TrainingWork implements Work {
  private static final int STEPS = 10;

  private final Model model;
  private final Trainer trainer;
  private final DjlKfac kfac;
  private final NDManager data;
  private final NDArray images;
  private final NDArray labels;

  /** Training with K-FAC on this backend, or without if it is null. */
  public TrainingWork(Backend backend, NetworkCase c, long seed) {
    if (!c.network().equals("simple-cnn")) {
      throw new IllegalArgumentException("only the Simple CNN is trained, not " + c.network());
    }
    model = Model.newInstance("simple-cnn", "PyTorch");
    model.setBlock(simpleCnn());
    trainer =
        model.newTrainer(
            new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
                .optOptimizer(
                    Optimizer.sgd().setLearningRateTracker(Tracker.fixed(1e-4f)).build()));
    trainer.initialize(new Shape(c.batch(), 1, 28, 28));
    KfacOptions options =
        KfacOptions.DEFAULT.withDamping(NetworkCase.DAMPING).withIntervals(STEPS, STEPS);
    kfac = backend == null ? null : DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend);
    data = trainer.getManager().newSubManager();
    float[] pixels = new Inputs(seed).uniform(0, c.batch() * 28 * 28);
    images = data.create(pixels, new Shape(c.batch(), 1, 28, 28));
    long[] classes = new long[c.batch()];
    for (int n = 0; n < classes.length; n++) {
      classes[n] = n % 10;
    }
    labels = data.create(classes);
  }

  private static Block simpleCnn() {
    return new SequentialBlock()
        .add(conv(32))
        .add(Activation::relu)
        .add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)))
        .add(conv(64))
        .add(Activation::relu)
        .add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)))
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(1024).build())
        .add(Activation::relu)
        .add(Linear.builder().setUnits(10).build());
  }

  private static Block conv(int filters) {
    return Conv2d.builder()
        .setKernelShape(new Shape(5, 5))
        .optPadding(new Shape(2, 2))
        .setFilters(filters)
        .build();
  }

  @Override
  public void run() {
    for (int i = 0; i < STEPS; i++) {
      try (NDManager scratch = data.newSubManager()) {
        scratch.tempAttachAll(images, labels);
        try (GradientCollector collector = trainer.newGradientCollector()) {
          NDList output = trainer.forward(new NDList(images));
          NDArray loss = trainer.getLoss().evaluate(new NDList(labels), output);
          collector.backward(loss);
        }
        if (kfac != null) {
          kfac.precondition();
        }
        trainer.step();
      }
    }
  }

  @Override
  public float[] result(int index) {
    throw new UnsupportedOperationException("training has no result to check");
  }

  @Override
  public void close() {
    if (kfac != null) {
      kfac.close();
    }
    data.close();
    trainer.close();
    model.close();
  }
}
