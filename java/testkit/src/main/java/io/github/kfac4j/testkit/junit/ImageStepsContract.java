package io.github.kfac4j.testkit.junit;

import static io.github.kfac4j.testkit.Fixtures.frobeniusError;
import static io.github.kfac4j.testkit.Fixtures.rounded;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.testkit.EveryLayer;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.KroneckerBasis;
import io.github.kfac4j.testkit.LayerBatch;
import io.github.kfac4j.testkit.RankDeficientBatch;
import io.github.kfac4j.testkit.RankDeficientBatch.Inputs;
import io.github.kfac4j.testkit.RoundedStorage;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How good steps by eigendecompositions are in layers of images, as {@code EigenStepChecks} has it
 * for dense ones. Images have so many patches that sums of fp32 drift, all the same way where the
 * patches are alike, and what they lose becomes part of a null space. A backend that stores fp32
 * may be twice as far off as fp64 arithmetic on numbers rounded where they are stored, and 2e-5
 * more; of the gradient of the batch itself, twice that or 1e-3.
 */
public abstract class ImageStepsContract {
  private static final double[] DAMPINGS = {1e-1, 1e-2, 3e-4};
  private static final KfacOptions OPTIONS = EveryLayer.OPTIONS;
  private static final KfacOptions EXACT = OPTIONS.withDampingMode(DampingMode.EXACT);
  private static final KfacOptions EIGEN =
      OPTIONS.withInversePolicy(InversePolicy.DEFAULT.withMethod(InversePolicy.Method.EIGEN));

  /** Opens the backend under test, which stores fp32. */
  protected abstract Backend open();

  private enum Kind {
    SEQUENCE(
        new Conv1d(20, 16, Conv1d.window(3, 1, 1, 1), 1, true), Shape.of(20, 9), Shape.of(16, 9)),
    PIXELS(conv(50, 16, Window.of(1, 1), 1), Shape.of(50, 5, 5), Shape.of(16, 5, 5)),
    SMALL(conv(7, 16, padded(3), 1), Shape.of(7, 6, 6), Shape.of(16, 6, 6)),
    WIDE(conv(3, 12, padded(5), 1), Shape.of(3, 8, 8), Shape.of(12, 8, 8)),
    STRIDED(conv(7, 16, padded(3).withStride(2, 2), 1), Shape.of(7, 9, 9), Shape.of(16, 5, 5)),
    GROUPS(conv(12, 20, padded(3), 2), Shape.of(12, 6, 6), Shape.of(20, 6, 6)),
    DEPTHWISE(conv(24, 24, padded(3), 24), Shape.of(24, 7, 7), Shape.of(24, 7, 7)),
    TRANSPOSED(
        new ConvTranspose2d(30, 8, Window.of(3, 3).withStride(2, 2), 1, true),
        Shape.of(30, 3, 3),
        Shape.of(8, 7, 7)),
    NORM(ScaleShift.of(12), Shape.of(12), Shape.of(12));

    private final Layer layer;
    private final Shape input;
    private final Shape output;

    Kind(Layer layer, Shape input, Shape output) {
      this.layer = layer;
      this.input = input;
      this.output = output;
    }

    private static Conv2d conv(int in, int out, Window window, int groups) {
      return new Conv2d(in, out, window, groups, true, ImageLayout.NCHW);
    }

    private static Window padded(int kernel) {
      return Window.of(kernel, kernel).withPadding(kernel / 2, kernel / 2);
    }
  }

  /** Where the inputs differ: in every pixel, or in channels alone. */
  private enum Images {
    PIXELS,
    OF_ONE_VALUE,
    WITH_DEAD_CHANNELS
  }

  static Stream<Arguments> batches() {
    Stream.Builder<Arguments> all = Stream.builder();
    for (Kind kind : Kind.values()) {
      for (int examples : RankDeficientBatch.EXAMPLES) {
        for (Inputs inputs : Inputs.values()) {
          all.add(Arguments.of(kind, Images.PIXELS, inputs, examples));
        }
        all.add(Arguments.of(kind, Images.OF_ONE_VALUE, Inputs.GAUSSIAN, examples));
        all.add(Arguments.of(kind, Images.OF_ONE_VALUE, Inputs.CONSTANT, examples));
        all.add(Arguments.of(kind, Images.WITH_DEAD_CHANNELS, Inputs.GAUSSIAN, examples));
      }
    }
    return all.build();
  }

  // Side by side where the module lets tests be, though not beside another class: some of those
  // count what the process holds.
  @Execution(ExecutionMode.CONCURRENT)
  @ParameterizedTest
  @MethodSource("batches")
  void areNextToThoseOfExactFactors(Kind kind, Images images, Inputs inputs, int examples) {
    LayerBatch batch = batch(kind, images, inputs, examples);
    try (Backend fp64 = new JavaBackend();
        Backend storing = RoundedStorage.open();
        Backend tested = open()) {
      for (KfacOptions options : List.of(EXACT, EIGEN)) {
        try (Kfac exact = observed(fp64, kind, batch, options);
            Kfac stored = observed(storing, kind, batch, options);
            Kfac kfac = observed(tested, kind, batch, options)) {
          for (double damping : DAMPINGS) {
            Stream.of(exact, stored, kfac).forEach(k -> refresh(k, options.withDamping(damping)));
            check(
                batch,
                kfac,
                dw -> batch.step(exact, "layer", dw, true),
                dw -> batch.step(stored, "layer", dw, false),
                options.dampingMode() + " damping " + damping);
          }
        }
      }
      ekfac(kind, batch, tested);
    }
  }

  /** In the basis that the backend chose: in a null space eigenvectors are not unique. */
  private static void ekfac(Kind kind, LayerBatch batch, Backend tested) {
    KfacOptions options = EXACT.withApproximation(Approximation.EKFAC);
    int groups = kind.layer.groups();
    int rows = kind.layer.outputDim();
    int cols = kind.layer.inputDim();
    try (Kfac kfac = observed(tested, kind, batch, options)) {
      kfac.refresh();
      kfac.observe(List.of(batch.observation("layer")));
      KroneckerBasis[] stored = new KroneckerBasis[groups];
      KroneckerBasis[] bases = new KroneckerBasis[groups];
      double[][] moments = new double[groups][];
      double[][] storedMoments = new double[groups][];
      double[] allG = kfac.state().factor("layer", "G_basis");
      double[] allA = kfac.state().factor("layer", "A_basis");
      for (int k = 0; k < groups; k++) {
        double[] g = Arrays.copyOfRange(allG, k * rows * rows, (k + 1) * rows * rows);
        double[] a = Arrays.copyOfRange(allA, k * cols * cols, (k + 1) * cols * cols);
        stored[k] = new KroneckerBasis(g, new double[rows], a, new double[cols]);
        bases[k] = stored[k].orthonormal();
        moments[k] = bases[k].moments(batch.gradRows(k), batch.inputRows(k), batch.examples);
        storedMoments[k] =
            rounded(stored[k].moments(batch.gradRows(k), batch.inputRows(k), batch.examples));
      }
      for (double damping : DAMPINGS) {
        kfac.reconfigure(options.withDamping(damping));
        check(
            batch,
            kfac,
            dw -> divide(bases, moments, damping, dw),
            dw -> divide(stored, storedMoments, damping, rounded(dw)),
            "EKFAC, damping " + damping);
      }
    }
  }

  private static double[] divide(
      KroneckerBasis[] bases, double[][] moments, double damping, double[] dw) {
    double[] u = new double[dw.length];
    int size = dw.length / bases.length;
    for (int k = 0; k < bases.length; k++) {
      double[] damped = Arrays.stream(moments[k]).map(m -> m + damping).toArray();
      double[] one = Arrays.copyOfRange(dw, k * size, (k + 1) * size);
      System.arraycopy(bases[k].divide(damped, one), 0, u, k * size, size);
    }
    return u;
  }

  /** Makes a step of a gradient. */
  private interface Step {
    double[] of(double[] gradient);
  }

  private static void check(LayerBatch batch, Kfac kfac, Step exact, Step stored, String what) {
    double[] own = batch.gradient();
    double[] any = Fixtures.gaussian(new Random(3), own.length);
    double[] expected = exact.of(any);
    double floor = frobeniusError(stored.of(any), expected);
    assertThat(frobeniusError(batch.step(kfac, "layer", any, false), expected))
        .as("%s, any gradient, floor %s", what, floor)
        .isLessThanOrEqualTo(2 * floor + 2e-5);
    expected = exact.of(own);
    floor = frobeniusError(stored.of(own), expected);
    assertThat(frobeniusError(batch.step(kfac, "layer", own, false), expected))
        .as("%s, the gradient of the batch, floor %s", what, floor)
        .isLessThanOrEqualTo(Math.max(1e-3, 2 * floor));
  }

  private static Kfac observed(Backend backend, Kind kind, LayerBatch batch, KfacOptions options) {
    Kfac kfac = new Kfac(backend, Map.of("layer", kind.layer), options);
    kfac.observe(List.of(batch.observation("layer")));
    return kfac;
  }

  private static void refresh(Kfac kfac, KfacOptions options) {
    kfac.reconfigure(options);
    kfac.refresh();
  }

  /** The leading 11 bits. */
  private static double half(double x) {
    return Float.intBitsToFloat(Float.floatToRawIntBits((float) x) & ~0x1fff);
  }

  private static LayerBatch batch(Kind kind, Images images, Inputs inputs, int examples) {
    Random random =
        new Random(1000 * kind.ordinal() + 100 * images.ordinal() + 10 * inputs.ordinal());
    int size = Math.toIntExact(kind.input.size());
    int channels = kind.input.get(0);
    int positions = size / channels;
    double[] x = inputs.draw(random, examples, size);
    if (images == Images.OF_ONE_VALUE) {
      double[] values = inputs.draw(random, examples, channels);
      Arrays.setAll(x, i -> values[i / positions]);
    } else if (images == Images.WITH_DEAD_CHANNELS) {
      boolean[] dead = new boolean[channels];
      for (int c = 0; c < channels; c++) {
        dead[c] = random.nextBoolean();
      }
      Arrays.setAll(x, i -> dead[i / positions % channels] ? 0 : x[i]);
    }
    double[] g = Inputs.GAUSSIAN.draw(random, examples, Math.toIntExact(kind.output.size()));
    Arrays.setAll(g, i -> (float) (0.1 * g[i]));
    if (kind == Kind.NORM) { // its vectors are products, which are samples only if fp32 holds them
      Arrays.setAll(x, i -> half(x[i]));
      Arrays.setAll(g, i -> half(g[i]));
    }
    return new LayerBatch(kind.layer, examples, x, kind.input, g, kind.output);
  }
}
