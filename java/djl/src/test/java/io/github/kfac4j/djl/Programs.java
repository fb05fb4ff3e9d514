package io.github.kfac4j.djl;

import ai.djl.modality.nlp.DefaultVocabulary;
import ai.djl.modality.nlp.embedding.TrainableWordEmbedding;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Networks as programs have them, and problems with noise that they can learn in part. */
enum Programs {
  /** Convolutions and fully connected layers. */
  CNN {
    @Override
    Block network() {
      return new SequentialBlock()
          .add(convolution(8, 1))
          .add(Activation::relu)
          .add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)))
          .add(convolution(16, 1))
          .add(Activation::relu)
          .add(Blocks.batchFlattenBlock())
          .add(linear(32))
          .add(Activation::relu)
          .add(linear(CLASSES));
    }
  },

  /** Residual blocks with batch normalisation. */
  RESNET {
    @Override
    Block network() {
      SequentialBlock net =
          new SequentialBlock().add(convolution(8, 1)).add(norm()).add(Activation::relu);
      for (int i = 0; i < 3; i++) {
        Block branch =
            new SequentialBlock()
                .add(convolution(8, 1))
                .add(norm())
                .add(Activation::relu)
                .add(convolution(8, 1))
                .add(norm());
        net.add(
            new ParallelBlock(
                    outputs ->
                        new NDList(
                            Activation.relu(
                                NDArrays.add(outputs.get(0).head(), outputs.get(1).head()))))
                .add(branch)
                .add(Blocks.identityBlock()));
      }
      return net.add(Pool.globalAvgPool2dBlock()).add(linear(CLASSES));
    }
  },

  /** Attention over a sequence of numbers. */
  TRANSFORMER {
    @Override
    Block network() {
      return new Transformer();
    }

    @Override
    Shape input() {
      return new Shape(BATCH, LENGTH);
    }

    @Override
    NDList batch(NDManager manager, SplittableRandom random) {
      long[] words = new long[BATCH * LENGTH];
      float[] labels = new float[BATCH];
      for (int n = 0; n < BATCH; n++) {
        for (int t = 0; t < LENGTH; t++) {
          words[n * LENGTH + t] = random.nextInt(WORDS);
        }
        labels[n] = noisy(random, (int) words[n * LENGTH] % CLASSES);
      }
      return new NDList(manager.create(words, input()), manager.create(labels, new Shape(BATCH)));
    }
  };

  static final int BATCH = 32;
  static final int CLASSES = 5;
  private static final int SIZE = 10;
  private static final int LENGTH = 8;
  private static final int WORDS = 20;

  abstract Block network();

  Shape input() {
    return new Shape(BATCH, 1, SIZE, SIZE);
  }

  /** Inputs and labels, a tenth of which are wrong. */
  NDList batch(NDManager manager, SplittableRandom random) {
    float[] pixels = new float[BATCH * SIZE * SIZE];
    float[] labels = new float[BATCH];
    for (int n = 0; n < BATCH; n++) {
      int label = random.nextInt(CLASSES);
      labels[n] = noisy(random, label);
      for (int i = 0; i < SIZE * SIZE; i++) {
        boolean band = i / SIZE / 2 == label;
        pixels[n * SIZE * SIZE + i] = (float) (2 * random.nextDouble() - 1 + (band ? 0.7 : 0));
      }
    }
    return new NDList(manager.create(pixels, input()), manager.create(labels, new Shape(BATCH)));
  }

  private static float noisy(SplittableRandom random, int label) {
    return random.nextInt(10) == 0 ? random.nextInt(CLASSES) : label;
  }

  private static Block convolution(int filters, int padding) {
    return Conv2d.builder()
        .setKernelShape(new Shape(3, 3))
        .optPadding(new Shape(padding, padding))
        .setFilters(filters)
        .build();
  }

  private static Block norm() {
    return BatchNorm.builder().build();
  }

  private static Linear linear(int units) {
    return Linear.builder().setUnits(units).build();
  }

  /** One layer of attention and one of features, each with a normalisation in front. */
  private static final class Transformer extends AbstractBlock {
    private static final int WIDTH = 16;

    private TrainableWordEmbedding words =
        addChildBlock(
            "words",
            TrainableWordEmbedding.builder()
                .setVocabulary(
                    new DefaultVocabulary(
                        IntStream.range(0, WORDS).mapToObj(Integer::toString).toList()))
                .setEmbeddingSize(WIDTH)
                .build());
    private LayerNorm before = addChildBlock("before", LayerNorm.builder().axis(2).build());
    private Linear query = addChildBlock("query", linear(WIDTH));
    private Linear key = addChildBlock("key", linear(WIDTH));
    private Linear value = addChildBlock("value", linear(WIDTH));
    private LayerNorm between = addChildBlock("between", LayerNorm.builder().axis(2).build());
    private Linear wide = addChildBlock("wide", linear(2 * WIDTH));
    private Linear narrow = addChildBlock("narrow", linear(WIDTH));
    private Linear head = addChildBlock("head", linear(CLASSES));

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
      NDArray weights = q.matMul(k.transpose(0, 2, 1)).mul(scale).softmax(2);
      x = x.add(weights.matMul(v));
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
