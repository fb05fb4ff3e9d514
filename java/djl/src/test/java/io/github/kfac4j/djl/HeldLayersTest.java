package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ai.djl.Model;
import ai.djl.modality.nlp.DefaultVocabulary;
import ai.djl.modality.nlp.embedding.TrainableWordEmbedding;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv1d;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.util.PairList;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The ways in which a hand-written block holds its layers. */
class HeldLayersTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDamping(0.1).withDecay(0).withIntervals(1, 1);
  private static final int N = 6;
  private static final int WIDTH = 5;

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

  /** A block whose children keep the shape of what passes through. */
  abstract static class Keeping extends AbstractBlock {
    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
      return inputs;
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
      getChildren().values().forEach(child -> child.initialize(manager, type, inputs));
    }
  }

  /** All layers in fields of their own types, which DJL's own transformer has too. */
  private static final class Typed extends Keeping {
    private Linear fc = addChildBlock("fc", linear(WIDTH));
    private LayerNorm norm = addChildBlock("norm", LayerNorm.builder().build());
    private BatchNorm batch = addChildBlock("batch", BatchNorm.builder().build());
    private ParallelBlock branches =
        addChildBlock(
            "branches",
            new ParallelBlock(
                    outputs ->
                        new NDList(NDArrays.add(outputs.get(0).head(), outputs.get(1).head())))
                .add(linear(WIDTH))
                .add(LayerNorm.builder().build()));

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      NDList x = fc.forward(store, inputs, training);
      x = norm.forward(store, x, training);
      x = batch.forward(store, x, training);
      return branches.forward(store, x, training);
    }
  }

  /** A table in a field of its own type. */
  private static final class TypedTable extends AbstractBlock {
    private TrainableWordEmbedding table =
        addChildBlock(
            "table",
            TrainableWordEmbedding.builder()
                .setVocabulary(new DefaultVocabulary(List.of("a", "b", "c", "d")))
                .setEmbeddingSize(WIDTH)
                .build());

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      assertThat(table.embed("c")).isEqualTo(2);
      assertThat(table.unembed(1)).contains("b");
      return table.forward(store, inputs, training);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
      return table.getOutputShapes(inputs);
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
      table.initialize(manager, type, inputs);
    }
  }

  /** Lists and arrays of a type that no tap is of, and of one that some are. */
  private static final class TypedLists extends Keeping {
    private final List<Conv1d> convs = new ArrayList<>();
    private final Conv1d[] more = {conv()};
    private final List<? extends Block> any = List.of(addChildBlock("any", linear(WIDTH)));
    private final List<LayerNorm> norms = new ArrayList<>();

    TypedLists() {
      convs.add(conv());
      norms.add(addChildBlock("norm", LayerNorm.builder().axis(2).build()));
    }

    private Conv1d conv() {
      Conv1d.Builder same = Conv1d.builder().setKernelShape(new Shape(1)).setFilters(2);
      return addChildBlock("conv", same.build());
    }

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      NDList x = inputs;
      for (Conv1d conv : convs) {
        x = conv.forward(store, x, training);
      }
      x = more[0].forward(store, x, training);
      for (Block block : any) {
        x = block.forward(store, x, training);
      }
      for (LayerNorm norm : norms) {
        x = norm.forward(store, x, training);
      }
      return x;
    }
  }

  /** Layers where no reflection finds them. */
  private static final class Reachable extends Keeping {
    private final Map<String, Block> byName =
        Map.of("fc", addChildBlock("fc", DjlKfac.reachable(linear(WIDTH))));
    private final Function<Call, NDList> lambda = lambda();

    private record Call(ParameterStore store, NDList inputs) {}

    private Function<Call, NDList> lambda() {
      Block inside = addChildBlock("inside", DjlKfac.reachable(LayerNorm.builder().build()));
      return call -> inside.forward(call.store, call.inputs, true);
    }

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      return lambda.apply(new Call(store, byName.get("fc").forward(store, inputs, training)));
    }
  }

  private void step(Model model, DjlKfac kfac, Shape shape, boolean numbers) {
    try (Trainer trainer = model.newTrainer(Nets.config(0.1f));
        NDManager batch = trainer.getManager().newSubManager()) {
      trainer.initialize(shape);
      NDList data =
          new NDList(
              numbers ? batch.zeros(shape, DataType.INT64) : batch.randomNormal(shape),
              batch.create(new float[] {0, 1, 2, 0, 1, 2}));
      Nets.pass(trainer, data);
      kfac.precondition();
      trainer.step();
    }
  }

  /** Whether all layers were heard of in the pass: what is not observed has no factor. */
  private static void requireObserved(DjlKfac kfac) {
    for (String layer : kfac.layers()) {
      assertThat(kfac.lastReport().orElseThrow().refreshed())
          .filteredOn(report -> report.layer().equals(layer))
          .singleElement()
          .satisfies(report -> assertThat(report.toString()).doesNotContain("not observed"));
    }
  }

  @Test
  void layersInFieldsOfTheirOwnTypes() {
    Typed typed = new Typed();
    LayerNorm norm = typed.norm;
    BatchNorm batch = typed.batch;
    try (Model model = Nets.model(new SequentialBlock().add(typed).add(linear(3)))) {
      try (DjlKfac kfac = attach(model)) {
        step(model, kfac, new Shape(N, WIDTH), false);
        assertThat(kfac.layers())
            .containsExactly(
                "01Typed_01fc",
                "01Typed_02norm",
                "01Typed_03batch",
                "01Typed_04branches_01Linear",
                "01Typed_04branches_02LayerNorm",
                "02Linear");
        assertThat(kfac.unsupportedLayers()).isEmpty();
        requireObserved(kfac);
      }
      assertThat(typed.norm).isSameAs(norm);
      assertThat(typed.batch).isSameAs(batch);
    }
  }

  @Test
  void aTableInAFieldOfItsOwnType() {
    Block block =
        new SequentialBlock().add(new TypedTable()).add(Blocks.batchFlattenBlock()).add(linear(3));
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model)) {
      step(model, kfac, new Shape(N, 2), true);
      assertThat(kfac.layers()).containsExactly("01TypedTable_01table", "03Linear");
      requireObserved(kfac);
    }
  }

  @Test
  void listsAndArraysThatCannotHoldATapKeepTheirLayers() {
    Block block =
        new SequentialBlock().add(new TypedLists()).add(Blocks.batchFlattenBlock()).add(linear(3));
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model)) {
      step(model, kfac, new Shape(N, 2, WIDTH), false);
      assertThat(kfac.layers())
          .containsExactly("01TypedLists_02any", "01TypedLists_04norm", "03Linear");
      assertThat(kfac.unsupportedLayers())
          .containsExactly("01TypedLists_01conv (Conv1d)", "01TypedLists_03conv (Conv1d)");
      requireObserved(kfac);
    }
  }

  /** One line for each layer that K-FAC might be expected to have, in DJL's own log. */
  @Test
  void whatIsLeftToTheOptimizerIsSaidOnceInTheLogOfDjl() {
    PrintStream console = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    System.setErr(new PrintStream(said, true));
    Block block =
        new SequentialBlock()
            .add(new TypedLists())
            .add(LSTM.builder().setNumLayers(1).setStateSize(3).build())
            .add(Blocks.batchFlattenBlock())
            .add(linear(3));
    try (Model model = Nets.model(block);
        DjlKfac kfac = attach(model)) {
      step(model, kfac, new Shape(N, 2, WIDTH), false);
      step(model, kfac, new Shape(N, 2, WIDTH), false);
      assertThat(kfac.unsupportedLayers()).contains("02LSTM (LSTM)");
    } finally {
      System.setErr(console);
    }
    String log = "WARN io.github.kfac4j.djl.DjlKfac - K-FAC leaves ";
    assertThat(said.toString().lines().filter(line -> line.contains("leaves")))
        .hasSize(3)
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains(log + "02LSTM to the optimizer: the engine runs all time steps"))
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains(log + "01TypedLists_01conv to the optimizer: its parent holds it"));
  }

  @Test
  void reachableLayersAreHeardFromAnywhere() {
    try (Model model = Nets.model(new SequentialBlock().add(new Reachable()).add(linear(3)));
        DjlKfac kfac = attach(model)) {
      step(model, kfac, new Shape(N, WIDTH), false);
      assertThat(kfac.layers())
          .containsExactly("01Reachable_01fc", "01Reachable_02inside", "02Linear");
      requireObserved(kfac);
    }
  }

  @Test
  void aFinalFieldThatMayNotBeWrittenIsSaidWithItsRemedy() throws ReflectiveOperationException {
    byte[] bytes;
    try (InputStream file = FinalField.class.getResourceAsStream("FinalField.class")) {
      bytes = file.readAllBytes();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    Class<?> hidden = MethodHandles.lookup().defineHiddenClass(bytes, false).lookupClass();
    var constructor = hidden.getDeclaredConstructor();
    constructor.setAccessible(true);
    Block held = (Block) constructor.newInstance();
    SequentialBlock block =
        new SequentialBlock()
            .add(Conv2d.builder().setKernelShape(new Shape(1, 1)).setFilters(1).build())
            .add(held);
    List<Block> before = block.getChildren().values();
    try (Model model = Nets.model(block)) {
      assertThatIllegalStateException()
          .isThrownBy(() -> attach(model))
          .withMessageContaining("final field fc")
          .withMessageContaining("DjlKfac.reachable(layer)")
          .withMessageContaining("--enable-final-field-mutation=ALL-UNNAMED");
      assertThat(block.getChildren().values()).isEqualTo(before);
      assertThat(model.getBlock()).isSameAs(block);
    }
  }
}
