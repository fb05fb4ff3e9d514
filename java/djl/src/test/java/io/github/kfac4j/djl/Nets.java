package io.github.kfac4j.djl;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Dataset;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** Small models and data for the tests. */
final class Nets {
  static final int BATCH = 32;
  static final int CLASSES = 3;
  static final Shape IMAGES = new Shape(BATCH, 1, 8, 8);

  private Nets() {}

  static SequentialBlock cnn() {
    return new SequentialBlock()
        .add(Conv2d.builder().setKernelShape(new Shape(3, 3)).setFilters(4).build())
        .add(Activation::relu)
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(16).build())
        .add(Activation::relu)
        .add(Linear.builder().setUnits(CLASSES).build());
  }

  /** With normalisations, at which K-FAC looks once more. */
  static SequentialBlock normalised() {
    return new SequentialBlock()
        .add(Conv2d.builder().setKernelShape(new Shape(3, 3)).setFilters(4).build())
        .add(BatchNorm.builder().build())
        .add(Activation::relu)
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(16).build())
        .add(LayerNorm.builder().axis(1).build())
        .add(Activation::relu)
        .add(Linear.builder().setUnits(CLASSES).build());
  }

  static Model model(Block block) {
    Engine.getInstance().setRandomSeed(7);
    Model model = Model.newInstance("test");
    model.setBlock(block);
    return model;
  }

  static DefaultTrainingConfig config(float learningRate) {
    return config(learningRate, 0.9f);
  }

  static DefaultTrainingConfig config(float learningRate, float momentum) {
    return new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
        .optDevices(new Device[] {Device.cpu()})
        .optOptimizer(
            Optimizer.sgd()
                .setLearningRateTracker(Tracker.fixed(learningRate))
                .optMomentum(momentum)
                .build());
  }

  /** Images with one bright band, whose place is the class. */
  static NDList images(NDManager manager, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] pixels = new float[(int) IMAGES.size()];
    float[] labels = new float[BATCH];
    for (int n = 0; n < BATCH; n++) {
      int label = random.nextInt(CLASSES);
      labels[n] = label;
      for (int i = 0; i < 64; i++) {
        boolean band = i / 8 / 3 == label;
        pixels[n * 64 + i] = (float) (random.nextDouble() - 0.5 + (band ? 1 : 0));
      }
    }
    return new NDList(manager.create(pixels, IMAGES), manager.create(labels, new Shape(BATCH)));
  }

  /** Forward and backward pass; returns the loss. */
  static float pass(Trainer trainer, NDList data) {
    try (GradientCollector collector = trainer.newGradientCollector()) {
      NDList labels = new NDList(data.get(1));
      NDArray loss =
          trainer.getLoss().evaluate(labels, trainer.forward(new NDList(data.get(0)), labels));
      collector.backward(loss);
      return loss.getFloat();
    }
  }

  /** One step with the trainer's own optimizer; returns the loss. */
  static float step(Trainer trainer, DjlKfac kfac, long seed) {
    try (NDManager batch = trainer.getManager().newSubManager()) {
      float loss = pass(trainer, images(batch, seed));
      kfac.precondition();
      trainer.step();
      return loss;
    }
  }

  /** Three batches. */
  static Dataset dataset(NDManager manager) {
    NDList all = new NDList();
    NDList labels = new NDList();
    for (int i = 0; i < 3; i++) {
      NDList batch = images(manager, i);
      all.add(batch.get(0));
      labels.add(batch.get(1));
    }
    return new ArrayDataset.Builder()
        .setData(NDArrays.concat(all))
        .optLabels(NDArrays.concat(labels))
        .setSampling(BATCH, false)
        .build();
  }

  static Map<String, float[]> weights(Model model) {
    Map<String, float[]> weights = new LinkedHashMap<>();
    for (var entry : model.getBlock().getParameters()) {
      weights.put(entry.getKey(), entry.getValue().getArray().toFloatArray());
    }
    return weights;
  }

  static float[] gradient(Parameter parameter) {
    try (NDArray gradient = parameter.getArray().getGradient()) {
      return gradient.toFloatArray();
    }
  }
}
