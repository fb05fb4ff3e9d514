package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2dTranspose;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.layer.ScaleShift.Structure;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Scale and shift of normalisations, against K-FAC on inputs that are normalised by hand. */
class NormalisationTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDamping(0.1).withDecay(0).withIntervals(1, 1);
  private static final double EPSILON = 1e-5;
  private static final int N = 5;
  private static final int CHANNELS = 3;

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private static Block norm(boolean layers, boolean shift) {
    return layers
        ? LayerNorm.builder().axis(1).optCenter(shift).build()
        : BatchNorm.builder().optCenter(shift).build();
  }

  /** The normalisation alone, then the softmax over all of its outputs. */
  @ParameterizedTest
  @ValueSource(strings = {"layer", "batch", "batch of images", "layer without shift"})
  void scaleAndShiftArePreconditioned(String kind) {
    boolean layers = kind.startsWith("layer");
    boolean shift = !kind.endsWith("without shift");
    Block norm = norm(layers, shift);
    int positions = kind.endsWith("images") ? 4 : 1;
    Shape shape = positions == 1 ? new Shape(N, CHANNELS) : new Shape(N, CHANNELS, 2, 2);
    try (Model model = Nets.model(new SequentialBlock().add(norm).add(Blocks.batchFlattenBlock()));
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(shape);
      String name = layers ? "01LayerNorm" : "01BatchNorm";
      NDArray gamma = norm.getDirectParameters().get("gamma").getArray();
      NDArray beta = norm.getDirectParameters().get("beta").getArray();
      // a scale of 0 hides the normalised input in the output
      double[] scale = {0.5, 0, -2};
      double[] offset = shift ? new double[] {0.3, -0.1, 0} : new double[3];
      set(gamma, scale);
      set(beta, offset);
      NDArray x = trainer.getManager().randomNormal(shape);
      float[] labels = {0, 1, 2, 1, 0};
      NDArray target = trainer.getManager().create(labels);
      Nets.pass(trainer, new NDList(x, target));
      assertThat(kfac.layers()).containsExactly(name);
      assertThat(kfac.unsupportedLayers()).isEmpty();
      float[] weight = Nets.gradient(norm.getDirectParameters().get("gamma"));
      float[] bias = shift ? Nets.gradient(norm.getDirectParameters().get("beta")) : null;
      kfac.precondition();

      double[] normalised = normalised(x.toFloatArray(), positions, layers);
      double[] g = gradients(normalised, scale, offset, labels, positions);
      int[] extents = {N, CHANNELS, positions};
      Observation batch =
          Observation.ofSumLoss(
              "layer", HostTensor.of(normalised, extents), HostTensor.of(g, extents));
      ScaleShift layer = new ScaleShift(CHANNELS, Structure.UNIT_WISE, shift, false, 1);
      HostTensor w = HostTensor.of(weight, CHANNELS);
      HostTensor b = shift ? HostTensor.of(bias, CHANNELS) : null;
      try (Kfac alone = new Kfac(backend, Map.of("layer", layer), OPTIONS)) {
        alone.observe(List.of(batch));
        alone.refresh();
        alone.precondition(List.of(new LayerGradient("layer", w, b)));
      }
      requireClose(Nets.gradient(norm.getDirectParameters().get("gamma")), weight);
      if (shift) {
        requireClose(Nets.gradient(norm.getDirectParameters().get("beta")), bias);
      }
      trainer.step();
    }
  }

  private static void set(NDArray array, double[] values) {
    try (NDArray wanted =
        array.getManager().create(values).toType(DataType.FLOAT32, false).sub(array)) {
      array.addi(wanted);
    }
  }

  /** {@code [N, channels, positions]}: each example by itself, or each channel over the batch. */
  private static double[] normalised(float[] x, int positions, boolean layers) {
    double[] result = new double[x.length];
    int size = CHANNELS * positions;
    for (int group = 0; group < (layers ? N : CHANNELS); group++) {
      int of = group;
      int[] members =
          java.util.stream.IntStream.range(0, x.length)
              .filter(i -> (layers ? i / size : i % size / positions) == of)
              .toArray();
      double mean = Arrays.stream(members).mapToDouble(i -> x[i]).average().orElseThrow();
      double variance =
          Arrays.stream(members).mapToDouble(i -> (x[i] - mean) * (x[i] - mean)).sum()
              / members.length;
      for (int i : members) {
        result[i] = (x[i] - mean) / Math.sqrt(variance + EPSILON);
      }
    }
    return result;
  }

  /** Of the summed cross entropy, with respect to the outputs of the normalisation. */
  private static double[] gradients(
      double[] normalised, double[] scale, double[] offset, float[] labels, int positions) {
    int size = CHANNELS * positions;
    double[] g = new double[normalised.length];
    for (int n = 0; n < N; n++) {
      double sum = 0;
      for (int i = 0; i < size; i++) {
        int c = i / positions;
        g[n * size + i] = Math.exp(scale[c] * normalised[n * size + i] + offset[c]);
        sum += g[n * size + i];
      }
      for (int i = 0; i < size; i++) {
        g[n * size + i] = g[n * size + i] / sum - (i == (int) labels[n] ? 1 : 0);
      }
    }
    return g;
  }

  private static void requireClose(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(2e-5f));
    }
  }

  private static BatchNorm alongAxis(int axis) {
    return BatchNorm.builder().optAxis(axis).build();
  }

  /** Preconditioned gradients of scale and shift for the same numbers in another order. */
  private float[][] alongAxis(int axis, int positions, boolean last) {
    BatchNorm norm = alongAxis(axis);
    Shape shape = last ? new Shape(N, positions, CHANNELS) : new Shape(N, CHANNELS, positions);
    try (Model model = Nets.model(new SequentialBlock().add(norm).add(Blocks.batchFlattenBlock()));
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(shape);
      float[] values = new float[(int) shape.size()];
      float[] labels = new float[N];
      for (int n = 0; n < N; n++) {
        for (int c = 0; c < CHANNELS; c++) {
          for (int t = 0; t < positions; t++) {
            int place = last ? t * CHANNELS + c : c * positions + t;
            values[n * CHANNELS * positions + place] = (float) Math.sin(1 + n + 7.3 * c + 3.1 * t);
          }
        }
        int position = n % positions;
        int channel = n % CHANNELS;
        labels[n] = last ? position * CHANNELS + channel : channel * positions + position;
      }
      NDArray x = trainer.getManager().create(values, shape);
      Nets.pass(trainer, new NDList(x, trainer.getManager().create(labels)));
      kfac.precondition();
      return new float[][] {
        Nets.gradient(norm.getDirectParameters().get("gamma")),
        Nets.gradient(norm.getDirectParameters().get("beta"))
      };
    }
  }

  /** The channels last are the channels second of the transposed input, whatever sizes say. */
  @ParameterizedTest
  @ValueSource(ints = {CHANNELS, 4})
  void aBatchNormalisationHasItsChannelsWhereItsAxisSays(int positions) {
    float[][] expected = alongAxis(1, positions, false);
    float[][] actual = alongAxis(2, positions, true);
    requireClose(actual[0], expected[0]);
    requireClose(actual[1], expected[1]);
  }

  @Test
  void aNormalisationOverTheBatchIsLeftToTheOptimizer() {
    SequentialBlock block =
        new SequentialBlock().add(alongAxis(0)).add(Linear.builder().setUnits(CHANNELS).build());
    try (Model model = Nets.model(block);
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(new Shape(N, N));
      NDArray x = trainer.getManager().randomNormal(new Shape(N, N));
      NDArray labels = trainer.getManager().create(new float[] {0, 1, 2, 1, 0});
      Nets.pass(trainer, new NDList(x, labels));
      kfac.precondition();
      assertThat(kfac.layers()).containsExactly("02Linear");
      assertThat(kfac.unsupportedLayers()).containsExactly("01BatchNorm (BatchNorm)");
      trainer.step();
    }
  }

  /** Each element of a feature map has a scale of its own, as each feature of a row has. */
  @Test
  void aLayerNormalisationOfFeatureMapsIsThatOfTheirElements() {
    float[][] gradients = new float[4][];
    for (int flat = 0; flat < 2; flat++) {
      LayerNorm norm = LayerNorm.builder().build();
      Shape shape = flat == 1 ? new Shape(N, CHANNELS * 4) : new Shape(N, CHANNELS, 2, 2);
      Block block = new SequentialBlock().add(norm).add(Blocks.batchFlattenBlock());
      try (Model model = Nets.model(block);
          DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
          Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
        trainer.initialize(shape);
        assertThat(kfac.layers()).containsExactly("01LayerNorm");
        NDArray x = trainer.getManager().arange(N * CHANNELS * 4f).sin().reshape(shape);
        NDArray labels = trainer.getManager().create(new float[] {0, 7, 2, 11, 0});
        Nets.pass(trainer, new NDList(x, labels));
        kfac.precondition();
        gradients[2 * flat] = Nets.gradient(norm.getDirectParameters().get("gamma"));
        gradients[2 * flat + 1] = Nets.gradient(norm.getDirectParameters().get("beta"));
        trainer.step();
      }
    }
    requireClose(gradients[0], gradients[2]);
    requireClose(gradients[1], gradients[3]);
  }

  private static SequentialBlock network() {
    return new SequentialBlock()
        .add(Linear.builder().setUnits(CHANNELS).build())
        .add(norm(false, true));
  }

  /** Looking at the normalised input is not a pass of training. */
  @Test
  void runningStatisticsAreThoseOfATrainingWithoutKfac() {
    float[][] means = new float[2][];
    for (int with = 0; with < 2; with++) {
      SequentialBlock block = network();
      try (Model model = Nets.model(block)) {
        DjlKfac kfac = with == 1 ? DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend) : null;
        try (Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
          trainer.initialize(new Shape(N, 2));
          try (NDManager data = trainer.getManager().newSubManager()) {
            NDArray x = data.arange(2f * N).reshape(N, 2);
            Nets.pass(trainer, new NDList(x, data.create(new float[] {0, 1, 2, 1, 0})));
          }
          means[with] =
              block.getParameters().get("02BatchNorm_runningMean").getArray().toFloatArray();
        }
        if (kfac != null) {
          kfac.close();
        }
      }
    }
    assertThat(means[1]).containsExactly(means[0]);
  }

  @Test
  void aConventionWithoutNormalisationsLeavesThemToTheOptimizer() {
    KfacOptions options = OPTIONS.withConvention(Convention.KFAC_PYTORCH);
    try (Model model = Nets.model(network());
        DjlKfac kfac = DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(new Shape(N, 2));
      NDArray x = trainer.getManager().randomNormal(new Shape(N, 2));
      NDArray labels = trainer.getManager().create(new float[] {0, 1, 2, 1, 0});
      Nets.pass(trainer, new NDList(x, labels));
      kfac.precondition();
      assertThat(kfac.layers()).containsExactly("01Linear");
      assertThat(kfac.unsupportedLayers()).containsExactly("02BatchNorm (BatchNorm)");
      trainer.step();
    }
  }

  /** Should it run one day, K-FAC can have the layer. */
  @Test
  void transposedConvolutionsDoNotRunOnThisEngine() {
    Conv2dTranspose block =
        Conv2dTranspose.builder().setKernelShape(new Shape(2, 2)).setFilters(2).build();
    try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
      block.initialize(manager, DataType.FLOAT32, new Shape(1, 2, 3, 3));
      NDList input = new NDList(manager.ones(new Shape(1, 2, 3, 3)));
      ParameterStore store = new ParameterStore(manager, false);
      assertThat(Engine.getEngine("PyTorch")).isNotNull();
      assertThatThrownBy(() -> block.forward(store, input, false))
          .isInstanceOf(UnsupportedOperationException.class);
    }
  }
}
