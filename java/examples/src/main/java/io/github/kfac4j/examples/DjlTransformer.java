package io.github.kfac4j.examples;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.metric.Metrics;
import ai.djl.modality.nlp.DefaultVocabulary;
import ai.djl.modality.nlp.embedding.TrainableWordEmbedding;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Dataset;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.util.PairList;
import io.github.kfac4j.djl.DjlKfac;
import io.github.kfac4j.options.KfacOptions;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A transformer on DJL: embedding, attention, normalisations and dense layers are K-FAC's. It tells
 * which of four words was first in a sequence.
 */
public final class DjlTransformer {
  private static final int BATCH = 32;
  private static final int WORDS = 20;
  private static final int CLASSES = 4;
  private static final int LENGTH = 8;
  private static final int WIDTH = 16;

  private DjlTransformer() {}

  /** Trains 100 steps. */
  public static void main(String[] args) throws Exception {
    Engine.getInstance().setRandomSeed(1);
    try (Model model = Model.newInstance("transformer");
        NDManager manager = NDManager.newBaseManager()) {
      model.setBlock(new Transformer());
      try (DjlKfac kfac = DjlKfac.attach(model, KfacOptions.DEFAULT.withDamping(0.1))) {
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
          trainer.initialize(new Shape(BATCH, LENGTH));
          EasyTrain.fit(trainer, 1, data(manager, 1, 100), data(manager, 2, 10));
          System.out.println("K-FAC has " + kfac.layers().size() + " layers");
          System.out.printf(
              Locale.ROOT, "validation loss %.3f%n", trainer.getTrainingResult().getValidateLoss());
        }
      }
    }
  }

  private static Dataset data(NDManager manager, long seed, int batches) {
    Random random = new Random(seed);
    int count = batches * BATCH;
    long[] words = new long[count * LENGTH];
    float[] classes = new float[count];
    for (int i = 0; i < words.length; i++) {
      words[i] = random.nextInt(WORDS);
    }
    for (int n = 0; n < count; n++) {
      classes[n] = words[n * LENGTH] % CLASSES;
    }
    return new ArrayDataset.Builder()
        .setData(manager.create(words, new Shape(count, LENGTH)))
        .optLabels(manager.create(classes))
        .setSampling(BATCH, false)
        .build();
  }

  private static Linear linear(int units) {
    return Linear.builder().setUnits(units).build();
  }

  private static LayerNorm norm() {
    return LayerNorm.builder().axis(2).build();
  }

  /** A layer of attention and one of features, each behind a normalisation. */
  private static final class Transformer extends AbstractBlock {
    private Block words =
        addChildBlock(
            "words",
            TrainableWordEmbedding.builder()
                .setVocabulary(
                    new DefaultVocabulary(
                        IntStream.range(0, WORDS).mapToObj(Integer::toString).toList()))
                .setEmbeddingSize(WIDTH)
                .build());
    private Block before = addChildBlock("before", norm());
    private Block query = addChildBlock("query", linear(WIDTH));
    private Block key = addChildBlock("key", linear(WIDTH));
    private Block value = addChildBlock("value", linear(WIDTH));
    private Block between = addChildBlock("between", norm());
    private Block wide = addChildBlock("wide", linear(2 * WIDTH));
    private Block narrow = addChildBlock("narrow", linear(WIDTH));
    private Block head = addChildBlock("head", linear(CLASSES));

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      NDArray x = words.forward(store, inputs, training).head();
      NDList normal = before.forward(store, new NDList(x), training);
      NDArray q = query.forward(store, normal, training).head();
      NDArray k = key.forward(store, normal, training).head();
      NDArray v = value.forward(store, normal, training).head();
      // an array, as DJL may free the memory of a plain number before the backward pass reads it
      NDArray scale = q.getManager().create((float) (1 / Math.sqrt(WIDTH)));
      x = x.add(q.matMul(k.transpose(0, 2, 1)).mul(scale).softmax(2).matMul(v));
      NDList h = wide.forward(store, between.forward(store, new NDList(x), training), training);
      x = x.add(narrow.forward(store, Activation.relu(h), training).head());
      return head.forward(store, new NDList(x.get(":, 0")), training);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
      return new Shape[] {new Shape(inputs[0].get(0), CLASSES)};
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
      Shape features = inputs[0].add(WIDTH);
      words.initialize(manager, type, inputs);
      for (Block block : List.of(before, query, key, value, between, wide)) {
        block.initialize(manager, type, features);
      }
      narrow.initialize(manager, type, inputs[0].add(2 * WIDTH));
      head.initialize(manager, type, new Shape(inputs[0].get(0), WIDTH));
    }
  }
}
