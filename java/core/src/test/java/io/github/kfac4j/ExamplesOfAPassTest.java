package io.github.kfac4j;

import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.approximation.DoublyFactored;
import io.github.kfac4j.approximation.Factors;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.layer.ScaleShift.Structure;
import io.github.kfac4j.layer.WeightSharing;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** However a layer's tensors are laid out, N is the number of examples of the pass. */
class ExamplesOfAPassTest {
  private static final int N = 4;
  private static final int T = 6;
  private static final int IN = 3;
  private static final int OUT = 2;

  private final Random random = new Random(31);
  private final double[] a = gaussian(random, N * T * IN);
  private final double[] g = gaussian(random, N * T * OUT);
  private final double[] gradient = gaussian(random, OUT * IN);

  /** {@code [N, T, width]} as {@code [T, N, width]}. */
  private static double[] timeFirst(double[] x, int width) {
    double[] turned = new double[x.length];
    for (int row = 0; row < N * T; row++) {
      int to = row % T * N + row / T;
      System.arraycopy(x, row * width, turned, to * width, width);
    }
    return turned;
  }

  private static Observation seen(double[] in, int[] inShape, double[] out, int[] outShape) {
    return Observation.ofSumLoss(
        "layer", HostTensor.of(in, inShape), HostTensor.of(out, outShape), N);
  }

  private Observation batchFirst() {
    return seen(a, new int[] {N, T, IN}, g, new int[] {N, T, OUT});
  }

  private Observation timeFirst() {
    return seen(timeFirst(a, IN), new int[] {T, N, IN}, timeFirst(g, OUT), new int[] {T, N, OUT});
  }

  private Observation rows() {
    return seen(a, new int[] {N * T, IN}, g, new int[] {N * T, OUT});
  }

  private double[] step(Layer layer, KfacOptions options, Observation seen) {
    HostTensor dw = HostTensor.of(gradient.clone(), OUT, IN);
    try (Kfac kfac = new Kfac(new JavaBackend(), Map.of("layer", layer), options)) {
      kfac.observe(List.of(seen));
      kfac.refresh();
      kfac.observe(List.of(seen));
      kfac.precondition(List.of(new LayerGradient("layer", dw)));
    }
    return dw.toArray();
  }

  private static KfacOptions options(Approximation approximation) {
    return KfacOptions.DEFAULT
        .withDamping(1e-3)
        .withApproximation(approximation)
        .withIntervals(1, 1);
  }

  private static void assertSame(double[] actual, double[] expected) {
    double norm = Math.sqrt(Arrays.stream(expected).map(x -> x * x).sum());
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(1e-12 * norm));
    }
  }

  @ParameterizedTest
  @EnumSource(Convention.class)
  void threeLayoutsOfOneSequenceGiveOneStep(Convention convention) {
    KfacOptions options = options(Approximation.KRONECKER).withConvention(convention);
    Layer layer = new Dense(IN, OUT, false);
    double[] expected = step(layer, options, batchFirst());
    assertSame(step(layer, options, timeFirst()), expected);
    assertSame(step(layer, options, rows()), expected);
  }

  /** A is the sum of aa' over N, G that of gg' over N T, whatever the shape. */
  @Test
  void factorsAreThoseOfTheDefinition() {
    for (Observation seen : List.of(batchFirst(), timeFirst(), rows())) {
      try (Kfac kfac =
          new Kfac(
              new JavaBackend(),
              Map.of("layer", new Dense(IN, OUT, false)),
              KfacOptions.DEFAULT.withDecay(0))) {
        kfac.observe(List.of(seen));
        assertSame(matrix(kfac, Factors.A), second(a, IN, 1.0 / N));
        assertSame(matrix(kfac, Factors.G), second(g, OUT, 1.0 / (N * T)));
      }
    }
  }

  private static double[] matrix(Kfac kfac, StateKey factor) {
    return kfac.state().layer("layer").stack(factor).toArray();
  }

  private static double[] second(double[] x, int width, double weight) {
    double[] sum = new double[width * width];
    for (int i = 0; i < x.length; i += width) {
      for (int j = 0; j < sum.length; j++) {
        sum[j] += weight * x[i + j / width] * x[i + j % width];
      }
    }
    return sum;
  }

  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      names = {"EKFAC", "DIAGONAL"})
  void momentsOfPerExampleGradientsKnowTheExamplesByTheirDimension(Approximation approximation) {
    Layer layer = new Dense(IN, OUT, false);
    double[] expected = step(layer, options(approximation), batchFirst());
    assertSame(step(layer, options(approximation), timeFirst()), expected);
    assertThatThrownBy(() -> step(layer, options(approximation), rows()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(
            "layer 'layer'", "[24, 3]", "4 examples", "a dimension of their own");
  }

  @Test
  void reducedPositionsKnowTheExamplesByTheirDimension() {
    Layer layer = new Dense(IN, OUT, false, WeightSharing.REDUCE);
    KfacOptions options = options(Approximation.KRONECKER);
    double[] expected = step(layer, options, batchFirst());
    assertSame(step(layer, options, timeFirst()), expected);
    assertThatThrownBy(() -> step(layer, options, rows()))
        .hasMessageContainingAll("layer 'layer'", "[24, 3]", "4 examples");
  }

  @Test
  void firstExamplesAreExamplesAndNotRows() {
    Layer layer = new Dense(IN, OUT, false);
    KfacOptions all = options(Approximation.KRONECKER);
    double[] firstTwo =
        step(
            layer,
            all,
            Observation.ofSumLoss(
                "layer", HostTensor.of(a, 2, T, IN), HostTensor.of(g, 2, T, OUT)));
    KfacOptions two = all.withMaxExamples(2);
    assertSame(step(layer, two, batchFirst()), firstTwo);
    assertSame(step(layer, two, timeFirst()), firstTwo);
    assertThatThrownBy(() -> step(layer, two, rows()))
        .hasMessageContainingAll("layer 'layer'", "[24, 3]", "4 examples");
    assertSame(step(layer, all.withMaxExamples(N), rows()), step(layer, all, rows()));
  }

  @Test
  void rowsThatExamplesDoNotShareEquallyAreRefusedWithBothNumbers() {
    Observation odd =
        Observation.ofSumLoss("layer", HostTensor.of(a, 18, IN), HostTensor.of(g, 18, OUT), N);
    assertThatThrownBy(() -> step(new Dense(IN, OUT, false), options(Approximation.KRONECKER), odd))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("layer 'layer'", "18 rows", "4 examples");
  }

  @Test
  void examplesMustBePositive() {
    HostTensor x = HostTensor.of(a, N, T, IN);
    assertThatThrownBy(() -> new Observation("fc", x, x, 1, 0))
        .hasMessageContainingAll("layer 'fc'", "examples must be positive", "0");
  }

  /** Frames of a film folded into the batch are positions of its example. */
  @ParameterizedTest
  @EnumSource(value = Convention.class, mode = Mode.EXCLUDE, names = "KFAC_PYTORCH")
  void imagesOfOneExampleAreItsPositions(Convention convention) {
    Window window = Window.of(2, 2);
    for (ImageLayout layout : ImageLayout.values()) {
      boolean first = layout == ImageLayout.NCHW;
      factorsOf(
          convention,
          new Conv2d(2, 3, window, 1, false, layout),
          first ? new int[] {12, 2, 3, 3} : new int[] {12, 3, 3, 2},
          first ? new int[] {12, 3, 2, 2} : new int[] {12, 2, 2, 3},
          4);
    }
    factorsOf(
        convention,
        new Conv1d(2, 3, Conv1d.window(2, 1, 0, 1), 1, false),
        new int[] {12, 2, 4},
        new int[] {12, 3, 3},
        3);
    factorsOf(
        convention,
        new ConvTranspose2d(2, 3, window, 1, false),
        new int[] {12, 2, 2, 2},
        new int[] {12, 3, 3, 3},
        9);
  }

  /** With N = 4 for 12 images, each factor is the one of 12 examples, rescaled. */
  private void factorsOf(Convention convention, Layer layer, int[] in, int[] out, int pixels) {
    HostTensor x = random(in);
    HostTensor dy = random(out);
    KfacOptions options = KfacOptions.DEFAULT.withDecay(0).withConvention(convention);
    try (Kfac folded = new Kfac(new JavaBackend(), Map.of("layer", layer), options);
        Kfac plain = new Kfac(new JavaBackend(), Map.of("layer", layer), options)) {
      folded.observe(List.of(Observation.ofSumLoss("layer", x, dy, N)));
      plain.observe(List.of(Observation.ofSumLoss("layer", x, dy)));
      double perExample = convention == Convention.KFC ? 3 : 1;
      assertSame(
          matrix(folded, Factors.A),
          Arrays.stream(matrix(plain, Factors.A)).map(v -> perExample * v).toArray());
      // of the empirical Fisher kfac-jax divides by N twice
      double twice = convention == Convention.KFAC_JAX ? 3 : 1;
      assertSame(
          matrix(folded, Factors.G),
          Arrays.stream(matrix(plain, Factors.G)).map(v -> twice * v).toArray());
      assertThat(folded.state().layer("layer").counters.positions).isEqualTo(3 * pixels);
    }
    try (Kfac diagonal =
        new Kfac(
            new JavaBackend(),
            Map.of("layer", layer),
            options.withApproximation(Approximation.DIAGONAL))) {
      assertThatThrownBy(() -> diagonal.observe(List.of(Observation.ofSumLoss("layer", x, dy, N))))
          .hasMessageContainingAll(
              "layer 'layer'", Shape.of(in).toString(), "first dimension", "4 examples");
    }
  }

  private HostTensor random(int... shape) {
    return HostTensor.of(gaussian(random, (int) Shape.of(shape).size()), shape);
  }

  @Test
  void tokenNumbersInAnyLayoutGiveOneStep() {
    double[] ids = random.ints(N * T, 0, 5).asDoubleStream().toArray();
    double[] ge = gaussian(random, N * T * IN);
    List<Observation> layouts =
        List.of(
            seen(ids, new int[] {N, T}, ge, new int[] {N, T, IN}),
            seen(timeFirst(ids, 1), new int[] {T, N}, timeFirst(ge, IN), new int[] {T, N, IN}),
            seen(ids, new int[] {N * T}, ge, new int[] {N * T, IN}));
    for (Observation seen : layouts) {
      try (Kfac kfac =
          new Kfac(
              new JavaBackend(),
              Map.of("layer", new Embedding(5, IN)),
              KfacOptions.DEFAULT.withDecay(0))) {
        kfac.observe(List.of(seen));
        double[] counts = new double[5];
        Arrays.stream(ids).forEach(id -> counts[(int) id] += 1.0 / N);
        assertSame(matrix(kfac, Factors.A), counts);
        assertSame(matrix(kfac, Factors.G), second(ge, IN, 1.0 / (N * T)));
      }
    }
  }

  @Test
  void normalisationSumsOverTheRowsOfAnExample() {
    Layer layer = new ScaleShift(IN, Structure.FULL, false, true, 1);
    double[] dy = gaussian(random, N * T * IN);
    double[] sums = new double[N * IN];
    for (int i = 0; i < dy.length; i++) {
      sums[i / (T * IN) * IN + i % IN] += dy[i] * a[i];
    }
    KfacOptions options = KfacOptions.DEFAULT.withDecay(0);
    try (Kfac kfac = new Kfac(new JavaBackend(), Map.of("layer", layer), options)) {
      kfac.observe(List.of(seen(a, new int[] {N, T, IN}, dy, new int[] {N, T, IN})));
      assertSame(matrix(kfac, Factors.G), second(sums, IN, 1.0 / N));
      kfac.observe(
          List.of(
              seen(
                  timeFirst(a, IN),
                  new int[] {T, N, IN},
                  timeFirst(dy, IN),
                  new int[] {T, N, IN})));
      assertSame(matrix(kfac, Factors.G), second(sums, IN, 1.0 / N));
      Observation rows = seen(a, new int[] {N * T, IN}, dy, new int[] {N * T, IN});
      assertThatThrownBy(() -> kfac.observe(List.of(rows)))
          .hasMessageContainingAll("layer 'layer'", "[24, 3]", "4 examples", "leave it out");
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      names = {"KRONECKER", "DOUBLY_FACTORED"})
  void featureMapsOfOneExampleAreItsPositions(Approximation approximation) {
    Layer layer = new FlattenedDense(IN, 2, OUT, false, false);
    HostTensor x = random(12, IN * 2);
    HostTensor dy = random(12, OUT);
    KfacOptions options =
        KfacOptions.DEFAULT.withDecay(0).withApproximation(approximation).withDamping(1e-3);
    try (Kfac folded = new Kfac(new JavaBackend(), Map.of("layer", layer), options);
        Kfac plain = new Kfac(new JavaBackend(), Map.of("layer", layer), options)) {
      folded.observe(List.of(Observation.ofSumLoss("layer", x, dy, N)));
      plain.observe(List.of(Observation.ofSumLoss("layer", x, dy)));
      assertSame(matrix(folded, Factors.G), matrix(plain, Factors.G));
      boolean whole = approximation == Approximation.KRONECKER;
      StateKey input = whole ? Factors.A : DoublyFactored.PSI;
      double perExample = whole ? 3 : 1;
      assertSame(
          matrix(folded, input),
          Arrays.stream(matrix(plain, input)).map(v -> perExample * v).toArray());
    }
  }

  /** The two uses of one pass need not have the same first dimension. */
  @Test
  void usesInDifferentLayoutsArePooled() {
    Layer layer = new Dense(IN, OUT, false);
    KfacOptions options = KfacOptions.DEFAULT.withDecay(0);
    try (Kfac kfac = new Kfac(new JavaBackend(), Map.of("layer", layer), options)) {
      kfac.observe(List.of(batchFirst(), timeFirst()));
      assertSame(matrix(kfac, Factors.A), second(a, IN, 2.0 / N));
      assertSame(matrix(kfac, Factors.G), second(g, OUT, 1.0 / (N * T)));
    }
  }
}
