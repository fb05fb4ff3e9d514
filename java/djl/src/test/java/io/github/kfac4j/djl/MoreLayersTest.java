package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
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
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv1d;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.util.PairList;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Layers beyond Linear and Conv2d, against K-FAC on the same tensors. With a batch of one example
 * and one position the gradients of bias or rows are the output gradients.
 */
class MoreLayersTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withoutKlClip().withDamping(0.1).withDecay(0).withIntervals(1, 1);

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private DjlKfac attach(Model model) {
    return DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
  }

  private static Linear linear(int units) {
    return Linear.builder().setUnits(units).build();
  }

  private static NDArray label(NDManager manager, int n) {
    float[] labels = new float[n];
    for (int i = 0; i < n; i++) {
      labels[i] = i % 3;
    }
    return manager.create(labels, new Shape(n));
  }

  /** The preconditioned gradient of a layer alone, by the library. */
  private float[] expected(Layer layer, Observation batch, float[] weight, float[] bias) {
    float[] w = weight.clone();
    int[] shape = new int[layer.weightShape().rank()];
    Arrays.setAll(shape, layer.weightShape()::get);
    HostTensor b = bias == null ? null : HostTensor.of(bias.clone(), bias.length);
    try (Kfac kfac = new Kfac(backend, Map.of("layer", layer), OPTIONS)) {
      kfac.observe(List.of(batch));
      kfac.refresh();
      kfac.precondition(List.of(new LayerGradient("layer", HostTensor.of(w, shape), b)));
    }
    return w;
  }

  private static void requireClose(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(1e-5f));
    }
  }

  @Test
  void convolutionsOfSequencesArePreconditioned() {
    Block conv = Conv1d.builder().setKernelShape(new Shape(4)).setFilters(5).build();
    Block block = new SequentialBlock().add(conv).add(Blocks.batchFlattenBlock()).add(linear(3));
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(new Shape(1, 2, 4));
      NDArray x = trainer.getManager().randomNormal(new Shape(1, 2, 4));
      Nets.pass(trainer, new NDList(x, label(trainer.getManager(), 1)));
      assertThat(kfac.layers()).containsExactly("01Conv1d", "03Linear");
      float[] weight = Nets.gradient(conv.getDirectParameters().get("weight"));
      float[] bias = Nets.gradient(conv.getDirectParameters().get("bias"));
      kfac.precondition();
      Observation batch =
          Observation.ofSumLoss(
              "layer", HostTensor.of(x.toFloatArray(), 1, 2, 4), HostTensor.of(bias, 1, 5, 1));
      Layer layer =
          new io.github.kfac4j.layer.Conv1d(
              2, 5, io.github.kfac4j.layer.Conv1d.window(4, 1, 0, 1), 1, true);
      requireClose(
          Nets.gradient(conv.getDirectParameters().get("weight")),
          expected(layer, batch, weight, bias));
      trainer.step();
    }
  }

  @Test
  void embeddingsArePreconditioned() {
    List<String> words = List.of("a", "b", "c", "d", "e", "f");
    TrainableWordEmbedding table =
        TrainableWordEmbedding.builder()
            .setVocabulary(new DefaultVocabulary(words))
            .setEmbeddingSize(5)
            .build();
    Block block = new SequentialBlock().add(table).add(Blocks.batchFlattenBlock()).add(linear(3));
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(new Shape(1, 3));
      NDArray ids = trainer.getManager().create(new long[] {4, 0, 3}, new Shape(1, 3));
      Nets.pass(trainer, new NDList(ids, label(trainer.getManager(), 1)));
      assertThat(kfac.layers()).hasSize(2);
      float[] weight = Nets.gradient(table.getDirectParameters().get("embedding"));
      int rows = weight.length / 5;
      float[] g = new float[15];
      for (int t = 0; t < 3; t++) {
        System.arraycopy(weight, (int) ids.toLongArray()[t] * 5, g, t * 5, 5);
      }
      kfac.precondition();
      Observation batch =
          Observation.ofSumLoss(
              "layer", HostTensor.of(new double[] {4, 0, 3}, 1, 3), HostTensor.of(g, 1, 3, 5));
      requireClose(
          Nets.gradient(table.getDirectParameters().get("embedding")),
          expected(new Embedding(rows, 5), batch, weight, null));
      trainer.step();
    }
  }

  @Test
  void aLayerMayBeUsedTwice() {
    Linear shared = linear(5);
    Block block = new SequentialBlock().add(shared).add(Activation::relu).add(shared);
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(new Shape(6, 5));
      NDArray x = trainer.getManager().randomNormal(new Shape(6, 5));
      NDArray w = shared.getDirectParameters().get("weight").getArray();
      NDArray b = shared.getDirectParameters().get("bias").getArray();
      NDArray h = x.matMul(w.transpose()).add(b).maximum(0f);
      NDArray a = x.transpose().matMul(x).add(h.transpose().matMul(h)).div(6);
      Nets.pass(trainer, new NDList(x, label(trainer.getManager(), 6)));
      float[] before = Nets.gradient(shared.getDirectParameters().get("weight"));
      kfac.precondition();
      double[] factor = ((Kfac) kfac.kfac()).state().inputFactor("01Linear");
      float[] expected = a.toFloatArray();
      for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 5; j++) {
          assertThat(factor[i * 6 + j]).isCloseTo(expected[i * 5 + j], within(1e-5));
        }
      }
      assertThat(factor[35]).isCloseTo(2, within(1e-6)); // the bias coordinate counts both uses
      assertThat(Nets.gradient(shared.getDirectParameters().get("weight"))).isNotEqualTo(before);
      trainer.step();
    }
  }

  /** Holds its layer in a field that no tap fits into. */
  private static final class Typed extends AbstractBlock {
    private final Conv1d conv =
        addChildBlock("conv", Conv1d.builder().setKernelShape(new Shape(2)).setFilters(3).build());

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      return conv.forward(store, inputs, training);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
      return conv.getOutputShapes(inputs);
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
      conv.initialize(manager, type, inputs);
    }
  }

  @Test
  void aLayerInAFieldOfItsOwnTypeIsLeftToTheOptimizer() {
    Block block =
        new SequentialBlock().add(new Typed()).add(Blocks.batchFlattenBlock()).add(linear(3));
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(new Shape(6, 2, 4));
      NDArray x = trainer.getManager().randomNormal(new Shape(6, 2, 4));
      Nets.pass(trainer, new NDList(x, label(trainer.getManager(), 6)));
      kfac.precondition();
      assertThat(kfac.layers()).containsExactly("03Linear");
      assertThat(kfac.unsupportedLayers()).containsExactly("01Typed_01conv (Conv1d)");
      trainer.step();
    }
  }
}
