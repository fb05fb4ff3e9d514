package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.util.PairList;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockTreeTest {
  private static final Shape INPUT = new Shape(6, 5);

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private static Linear linear(int units) {
    return Linear.builder().setUnits(units).build();
  }

  private DjlKfac attach(Model model) {
    return DjlKfac.attach(model, KfacOptions.DEFAULT.withDamping(0.1), Fisher.EMPIRICAL, backend);
  }

  /** One step on a model that maps [6, 5] to classes. */
  private static void step(Model model, DjlKfac kfac) {
    try (Trainer trainer = model.newTrainer(Nets.config(0.1f));
        NDManager batch = trainer.getManager().newSubManager()) {
      trainer.initialize(INPUT);
      NDList data =
          new NDList(
              batch.randomNormal(INPUT),
              batch.create(new float[] {0, 1, 2, 0, 1, 2}, new Shape(6)));
      Nets.pass(trainer, data);
      kfac.precondition();
      trainer.step();
    }
  }

  /** A hand-written block, calling its children from a field, an array and two lists. */
  private static final class Handwritten extends AbstractBlock {
    private final Linear field = addChildBlock("field", linear(4));
    private final Block[] array = {addChildBlock("array", linear(4))};
    private final List<Linear> fixed = List.of(addChildBlock("fixed", linear(4)));
    private final Block last = addChildBlock("last", linear(3));

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      NDList x = inputs;
      for (Block block : List.of(field, array[0], fixed.get(0), last)) {
        x = block.forward(store, x, training, params);
      }
      return x;
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
      return new Shape[] {new Shape(inputs[0].get(0), 3)};
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
      field.initialize(manager, type, inputs);
      array[0].initialize(manager, type, new Shape(6, 4));
      fixed.get(0).initialize(manager, type, new Shape(6, 4));
      last.initialize(manager, type, new Shape(6, 4));
    }
  }

  /** May compute anything. */
  private static final class Custom extends Linear {
    Custom() {
      super(Linear.builder().setUnits(3));
    }
  }

  /** Calls its child from where no reflection finds it. */
  private static final class Hidden extends AbstractBlock {
    private final Map<String, Linear> byName = Map.of("fc", addChildBlock("fc", linear(3)));

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      return byName.get("fc").forward(store, inputs, training, params);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
      return new Shape[] {new Shape(inputs[0].get(0), 3)};
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
      byName.get("fc").initialize(manager, type, inputs);
    }
  }

  @Test
  void layersAreFoundInAnyTree() {
    SequentialBlock branch = new SequentialBlock().add(linear(4)).add(Activation::relu);
    Block parallel = new ParallelBlock(lists -> lists.get(0)).add(branch).add(linear(4));
    try (Model model = Nets.model(new SequentialBlock().add(parallel).add(new Handwritten()));
        DjlKfac kfac = attach(model)) {
      assertThat(kfac.layers())
          .containsExactly(
              "01ParallelBlock_01SequentialBlock_01Linear",
              "01ParallelBlock_02Linear",
              "02Handwritten_01field",
              "02Handwritten_02array",
              "02Handwritten_03fixed",
              "02Handwritten_04last");
    }
  }

  @Test
  void handwrittenBlockIsTapped() {
    try (Model model = Nets.model(new Handwritten());
        DjlKfac kfac = attach(model)) {
      step(model, kfac);
      assertThat(((Kfac) kfac.kfac()).state().inputFactor("01field")).hasSize(36);
      assertThat(((Kfac) kfac.kfac()).state().inputFactor("03fixed")).hasSize(25);
    }
  }

  @Test
  void modelThatIsOneLayerIsTapped() {
    try (Model model = Nets.model(linear(3));
        DjlKfac kfac = attach(model)) {
      step(model, kfac);
      assertThat(kfac.layers()).containsExactly("Linear");
      assertThat(kfac.lastReport().orElseThrow().innerProduct()).isPositive();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLayerOutOfReachIsLeftToTheOptimizer(boolean sampled) {
    Fisher fisher = sampled ? Fisher.monteCarlo(1) : Fisher.EMPIRICAL;
    Hidden hidden = new Hidden();
    try (Model model = Nets.model(new SequentialBlock().add(linear(4)).add(hidden));
        DjlKfac kfac = DjlKfac.attach(model, KfacOptions.DEFAULT, fisher, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(INPUT);
      for (int i = 0; i < 2; i++) {
        NDArray x = trainer.getManager().randomNormal(INPUT);
        NDArray labels = trainer.getManager().create(new float[] {0, 1, 2, 0, 1, 2});
        Nets.pass(trainer, new NDList(x, labels));
        Parameter weight = hidden.byName.get("fc").getDirectParameters().get("weight");
        float[] plain = Nets.gradient(weight);
        kfac.precondition();
        assertThat(Nets.gradient(weight)).isEqualTo(plain);
        assertThat(kfac.layers()).containsExactly("01Linear");
        assertThat(kfac.unsupportedLayers()).containsExactly("02Hidden_01fc (Linear)");
        trainer.step();
      }
    }
  }

  @Test
  void layerThatTakesNoPartIsNoError() {
    Linear unused = linear(4);
    Block block = new ParallelBlock(lists -> lists.get(0)).add(linear(3)).add(unused);
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model)) {
      step(model, kfac);
      assertThat(kfac.layers()).containsExactly("01Linear", "02Linear");
      unused.freezeParameters(true);
      assertThat(kfac.layers()).containsExactly("01Linear");
    }
  }

  @Test
  void otherTrainableBlocksAreNamedAndLeftToTheOptimizer() {
    SequentialBlock block =
        new SequentialBlock().add(linear(4)).add(Activation::relu).add(new Custom());
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model)) {
      step(model, kfac);
      assertThat(kfac.layers()).containsExactly("01Linear");
      assertThat(kfac.unsupportedLayers()).containsExactly("03Custom (Custom)");
    }
  }

  @Test
  void recurrentLayersAreNamed() {
    SequentialBlock block =
        new SequentialBlock()
            .add(LSTM.builder().setNumLayers(1).setStateSize(3).build())
            .add(linear(2));
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model)) {
      assertThat(kfac.unsupportedLayers()).containsExactly("01LSTM (LSTM)");
    }
  }

  @Test
  void frozenLayersAreLeftOut() {
    Linear frozen = linear(4);
    Linear frozenWeight = linear(4);
    Linear frozenBias = linear(3);
    frozen.freezeParameters(true);
    frozenWeight.getDirectParameters().get("weight").freeze(true);
    frozenBias.getDirectParameters().get("bias").freeze(true);
    SequentialBlock block =
        new SequentialBlock().add(linear(4)).add(frozen).add(frozenWeight).add(frozenBias);
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model)) {
      step(model, kfac);
      assertThat(kfac.layers()).containsExactly("01Linear", "04Linear");
      assertThat(kfac.unsupportedLayers()).containsExactly("03Linear (Linear)");
      assertThat(((Kfac) kfac.kfac()).state().inputFactor("01Linear")).hasSize(36);
      assertThat(((Kfac) kfac.kfac()).state().inputFactor("04Linear")).hasSize(16);
    }
  }

  @Test
  void modelWithoutLayersIsRefused() {
    try (Model model = Nets.model(new SequentialBlock().add(Activation::relu))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> attach(model))
          .withMessage(
              "the model has no layer for K-FAC: known are Linear, Conv1d, Conv2d,"
                  + " TrainableWordEmbedding, TiedEmbedding, BatchNorm and LayerNorm");
    }
  }

  @Test
  void attachingTwiceIsRefused() {
    try (Model model = Nets.model(linear(3));
        DjlKfac kfac = attach(model)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> attach(model))
          .withMessage("K-FAC is attached to this model already");
      assertThat(kfac.layers()).containsExactly("Linear");
    }
  }

  @Test
  void namesAndFilesAreThoseOfTheModelAlone() throws IOException {
    Shape images = new Shape(2, 1, 8, 8);
    SequentialBlock block =
        new SequentialBlock()
            .add(Conv2d.builder().setKernelShape(new Shape(3, 3)).setFilters(2).build())
            .add(linear(3));
    try (Model model = Nets.model(block)) {
      block.initialize(model.getNDManager(), DataType.FLOAT32, images);
      List<String> names = block.getParameters().keys();
      byte[] file = file(block);
      String text = block.toString();
      List<Block> children = block.getChildren().values();
      try (DjlKfac kfac = attach(model)) {
        assertThat(kfac.layers()).hasSize(2);
        assertThat(model.getBlock().getParameters().keys()).isEqualTo(names);
        assertThat(file(model.getBlock())).isEqualTo(file);
        assertThat(model.getBlock()).hasToString(text);
        assertThat(model.getBlock().getOutputShapes(new Shape[] {images}))
            .isEqualTo(block.getOutputShapes(new Shape[] {images}));
        assertThat(block.getChildren().values()).isNotEqualTo(children);
      }
      assertThat(model.getBlock()).isSameAs(block);
      assertThat(block.getChildren().values()).isEqualTo(children);
    }
  }

  private static byte[] file(Block block) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    block.saveParameters(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }
}
