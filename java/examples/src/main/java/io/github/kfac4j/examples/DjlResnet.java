package io.github.kfac4j.examples;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.TrainingResult;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import io.github.kfac4j.djl.DjlKfac;
import io.github.kfac4j.options.KfacOptions;
import java.util.List;
import java.util.Locale;

/** A small ResNet in DJL's {@code EasyTrain}, where K-FAC is a listener. */
public final class DjlResnet {
  private static final int BATCH = 64;
  private static final int CHANNELS = 8;

  private DjlResnet() {}

  /** Trains two epochs of 20 steps. */
  public static void main(String[] args) throws Exception {
    Engine.getInstance().setRandomSeed(1);
    KfacOptions options = KfacOptions.DEFAULT.withDamping(0.03);
    try (Model model = Model.newInstance("resnet");
        NDManager manager = NDManager.newBaseManager();
        DjlKfac kfac = attach(model, options)) {
      DefaultTrainingConfig config =
          new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
              .optOptimizer(
                  Optimizer.sgd()
                      .setLearningRateTracker(Tracker.fixed(0.03f))
                      .optMomentum(0.9f)
                      .build())
              .addTrainingListeners(kfac, new EvaluatorTrainingListener());
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.setMetrics(new Metrics());
        trainer.initialize(new Shape(BATCH, 1, Images.SIZE, Images.SIZE));
        EasyTrain.fit(
            trainer,
            2,
            DjlData.of(manager, Images.training(20 * BATCH), BATCH),
            DjlData.of(manager, Images.validation(5 * BATCH), BATCH));
        TrainingResult result = trainer.getTrainingResult();
        System.out.printf(Locale.ROOT, "steps %d%n", kfac.lastReport().orElseThrow().step());
        System.out.printf(Locale.ROOT, "training loss %.3f%n", result.getTrainLoss());
        System.out.printf(Locale.ROOT, "validation loss %.3f%n", result.getValidateLoss());
      }
    }
  }

  private static DjlKfac attach(Model model, KfacOptions options) {
    model.setBlock(network());
    return DjlKfac.attach(model, options);
  }

  private static Block network() {
    SequentialBlock net = new SequentialBlock();
    convolution(net, 2).add(Activation::relu);
    for (int i = 0; i < 2; i++) {
      SequentialBlock branch = convolution(new SequentialBlock(), 1).add(Activation::relu);
      net.add(
          new ParallelBlock(DjlResnet::sum)
              .add(convolution(branch, 1))
              .add(Blocks.identityBlock()));
    }
    return net.add(Pool.globalAvgPool2dBlock())
        .add(Linear.builder().setUnits(Images.CLASSES).build());
  }

  private static SequentialBlock convolution(SequentialBlock net, int stride) {
    return net.add(
            Conv2d.builder()
                .setKernelShape(new Shape(3, 3))
                .optPadding(new Shape(1, 1))
                .optStride(new Shape(stride, stride))
                .setFilters(CHANNELS)
                .build())
        .add(BatchNorm.builder().optMomentum(0.7f).build());
  }

  private static NDList sum(List<NDList> branches) {
    return new NDList(
        Activation.relu(NDArrays.add(branches.get(0).head(), branches.get(1).head())));
  }
}
