package io.github.kfac4j.testkit.junit;

import static io.github.kfac4j.testkit.Fixtures.frobeniusError;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.StepAccuracy;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.testkit.EveryLayer;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import io.github.kfac4j.testkit.RankDeficientBatch.Inputs;
import io.github.kfac4j.testkit.RoundedStorage;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Steps with factored damping where the gradient is that of the batch itself, g'a / N, and the
 * batch is smaller than the layer. All of the gradient lies where the factors are large, and what
 * rounding leaves of it elsewhere is divided by the damping alone: 1000 inputs, 500 outputs, 32
 * examples, a damping of 1e-3 and products in fp32 were 26 % off. Where the status is ok the step
 * is off by {@link StepAccuracy#BOUND} at most, or by twice the floor, which is what a backend is
 * off that computes in fp64 and stores in fp32.
 */
public abstract class SmallBatchContract {
  private static final double[] DAMPINGS = {1e-1, 1e-2, 3e-4};
  private static final KfacOptions OPTIONS = EveryLayer.OPTIONS;

  /** Opens the backend under test. */
  protected abstract Backend open();

  private enum Kind {
    DENSE(new Dense(120, 33, true), Shape.of(120), Shape.of(33)),
    CONVOLUTION(
        new Conv2d(8, 24, Window.of(3, 3), 2, true, ImageLayout.NCHW),
        Shape.of(8, 4, 4),
        Shape.of(24, 2, 2)),
    TRANSPOSED(
        new ConvTranspose2d(6, 8, Window.of(3, 3).withStride(2, 2), 1, true),
        Shape.of(6, 2, 2),
        Shape.of(8, 5, 5)),
    EMBEDDING(new Embedding(12, 110), Shape.of(), Shape.of(110)),
    DOUBLY_FACTORED(new FlattenedDense(10, 9, 33, true, false), Shape.of(10, 3, 3), Shape.of(33));

    private final Layer layer;
    private final Shape input;
    private final Shape output;

    Kind(Layer layer, Shape input, Shape output) {
      this.layer = layer;
      this.input = input;
      this.output = output;
    }

    private Approximation approximation() {
      return this == DOUBLY_FACTORED ? Approximation.DOUBLY_FACTORED : Approximation.KRONECKER;
    }
  }

  static Stream<Arguments> batches() {
    return Stream.of(Kind.values())
        .flatMap(
            kind ->
                Stream.of(Inputs.values())
                    .flatMap(
                        inputs ->
                            IntStream.of(1, 2, 3, 8, 32)
                                .mapToObj(n -> Arguments.of(kind, inputs, n))));
  }

  @ParameterizedTest
  @MethodSource("batches")
  void aStepWithTheGradientOfTheBatchIsRight(Kind kind, Inputs inputs, int examples) {
    compare(new Batch(kind, inputs, examples));
  }

  private void compare(Batch batch) {
    try (Backend fp64 = new JavaBackend();
        Backend rounded = RoundedStorage.open();
        Backend backend = open();
        MatrixStack one = backend.allocate(1, 1, 1);
        Kfac exact = batch.kfac(fp64);
        Kfac stored = batch.kfac(rounded);
        Kfac tested = batch.kfac(backend)) {
      for (double damping : DAMPINGS) {
        double[] expected = batch.step(exact, true, damping);
        double floor = frobeniusError(batch.step(stored, false, damping), expected);
        double[] u = batch.step(tested, one.isDouble(), damping);
        if (batch.ok) {
          assertThat(frobeniusError(u, expected))
              .as("damping %s, floor %s", damping, floor)
              .isLessThanOrEqualTo(Math.max(StepAccuracy.BOUND, 2 * floor));
        }
      }
    }
  }

  /** What a layer saw, and its gradient. */
  private static final class Batch {
    private final Kind kind;
    private final int examples;
    private final double[] x;
    private final double[] g;
    private final double[] weight;
    private final double[] bias;

    /** Whether the last refresh said so. */
    private boolean ok;

    Batch(Kind kind, Inputs inputs, int examples) {
      this.kind = kind;
      this.examples = examples;
      Random random = new Random(1000 * kind.ordinal() + 100 * inputs.ordinal() + examples);
      boolean table = kind == Kind.EMBEDDING;
      Inputs ofG = table ? inputs : Inputs.GAUSSIAN;
      this.x =
          table
              ? random.ints(examples, 0, 12).asDoubleStream().toArray()
              : inputs.draw(random, examples, size(kind.input));
      this.g = ofG.draw(random, examples, size(kind.output));
      Arrays.setAll(g, i -> (float) (0.1 * g[i]));
      this.weight = new double[size(kind.layer.weightShape())];
      this.bias = kind.layer.bias() ? new double[size(kind.layer.biasShape())] : null;
      differentiate();
    }

    private static int size(Shape shape) {
      return Math.toIntExact(shape.size());
    }

    private int[] extents(Shape shape) {
      int[] extents = new int[shape.rank()];
      Arrays.setAll(extents, shape::get);
      return extents;
    }

    private int[] batched(Shape shape) {
      return IntStream.concat(IntStream.of(examples), Arrays.stream(extents(shape))).toArray();
    }

    private void differentiate() {
      if (kind == Kind.EMBEDDING) {
        int width = g.length / examples;
        for (int i = 0; i < g.length; i++) {
          weight[(int) x[i / width] * width + i % width] += g[i] / examples;
        }
        return;
      }
      Layer layer = kind.layer;
      Vectors use =
          (Vectors)
              layer.use(
                  HostTensor.of(x, batched(kind.input)), HostTensor.of(g, batched(kind.output)));
      HostTensor w = HostTensor.of(weight, extents(layer.weightShape()));
      HostTensor b = bias == null ? null : HostTensor.of(bias, extents(layer.biasShape()));
      Gradient matrix = layer.matrix(w, b);
      for (int k = 0; k < layer.groups(); k++) {
        double[][] gs = rows(use.g(), k);
        double[][] as = rows(use.a(), k);
        double[] dw = new double[layer.outputDim() * layer.inputDim()];
        for (int r = 0; r < gs.length; r++) {
          for (int i = 0; i < dw.length; i++) {
            dw[i] += gs[r][i / layer.inputDim()] * as[r][i % layer.inputDim()] / examples;
          }
        }
        put(matrix, k, dw);
      }
      layer.store(matrix, w, b);
    }

    private static double[][] rows(Samples samples, int group) {
      return Literal.rows(((HostTensor) samples.data()).toArray(), samples, group);
    }

    private void put(Gradient matrix, int group, double[] dw) {
      int rows = kind.layer.outputDim();
      int cols = kind.layer.inputDim();
      int width = bias == null ? cols : cols - 1;
      for (int i = 0; i < rows; i++) {
        int row = group * rows + i;
        ((HostTensor) matrix.weight()).write(row * width, dw, i * cols, width);
        if (bias != null) {
          ((HostTensor) matrix.bias()).write(row, dw, i * cols + width, 1);
        }
      }
    }

    Kfac kfac(Backend backend) {
      KfacOptions options = OPTIONS.withApproximation(kind.approximation());
      Kfac kfac = new Kfac(backend, Map.of("layer", kind.layer), options);
      HostTensor input = Fixtures.direct(x, batched(kind.input));
      kfac.observe(
          List.of(Observation.ofSumLoss("layer", input, Fixtures.direct(g, batched(kind.output)))));
      return kfac;
    }

    /** Weight and bias, from a gradient with as many digits as the backend stores. */
    double[] step(Kfac kfac, boolean fp64, double damping) {
      kfac.reconfigure(OPTIONS.withApproximation(kind.approximation()).withDamping(damping));
      ok = kfac.refresh().get(0).perGroup().stream().allMatch(g -> g.status().equals("ok"));
      HostTensor w = tensor(fp64, weight, kind.layer.weightShape());
      HostTensor b = bias == null ? null : tensor(fp64, bias, kind.layer.biasShape());
      kfac.preview(List.of(new LayerGradient("layer", w, b)));
      return b == null
          ? w.toArray()
          : DoubleStream.concat(Arrays.stream(w.toArray()), Arrays.stream(b.toArray())).toArray();
    }

    private HostTensor tensor(boolean fp64, double[] values, Shape shape) {
      return fp64
          ? HostTensor.of(values.clone(), extents(shape))
          : Fixtures.direct(values, extents(shape));
    }
  }
}
