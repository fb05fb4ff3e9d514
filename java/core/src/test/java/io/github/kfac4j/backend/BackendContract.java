package io.github.kfac4j.backend;

import static io.github.kfac4j.backend.Fixtures.covariance;
import static io.github.kfac4j.backend.Fixtures.damped;
import static io.github.kfac4j.backend.Fixtures.direct;
import static io.github.kfac4j.backend.Fixtures.error;
import static io.github.kfac4j.backend.Fixtures.gaussian;
import static io.github.kfac4j.backend.Fixtures.stack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;
import static org.assertj.core.data.Percentage.withPercentage;

import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every backend must do. A backend's module extends this class; errors are measured against
 * {@link Literal} definitions in fp64, and against what fp32 arithmetic can reach at all where a
 * backend computes in fp32.
 */
public abstract class BackendContract {
  protected Backend backend;
  private final Random random = new Random(20260101);
  private final List<MatrixStack> opened = new ArrayList<>();

  /** Opens the backend under test. */
  protected abstract Backend open();

  @BeforeEach
  void openBackend() {
    backend = open();
  }

  @AfterEach
  void closeBackend() {
    opened.forEach(MatrixStack::close);
    backend.close();
  }

  private MatrixStack zeros(int count, int rows, int cols) {
    MatrixStack stack = backend.allocate(count, rows, cols);
    opened.add(stack);
    return stack;
  }

  private MatrixStack filled(int count, int rows, int cols, double[] values) {
    MatrixStack stack = stack(backend, count, rows, cols, values);
    opened.add(stack);
    return stack;
  }

  /** Relative error allowed where no matrix is inverted. */
  private double tolerance() {
    return zeros(1, 1, 1).isDouble() ? 1e-12 : 3e-6;
  }

  // --- matrices

  @Test
  void aNewStackIsZeroAndKeepsWhatIsSet() {
    MatrixStack stack = zeros(3, 2, 5);
    assertThat(stack.toArray()).hasSize(30).containsOnly(0);
    double[] values = gaussian(random, 30);
    stack.set(values);
    assertThat(stack.toArray()).containsExactly(values);
    assertThatThrownBy(() -> stack.set(new double[29]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aClosedStackSaysSo() {
    MatrixStack stack = zeros(1, 2, 2);
    stack.close();
    stack.close();
    assertThatThrownBy(stack::toArray).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> stack.set(new double[4])).isInstanceOf(IllegalStateException.class);
  }

  // --- patches and moments

  /** Every stride, padding, dilation, grouping, layout and bias, none of them square. */
  static Stream<PatchSamples> convolutions() {
    List<PatchSamples> all = new ArrayList<>();
    for (int[] stride : new int[][] {{1, 1}, {2, 1}, {3, 2}}) {
      for (int[] padding : new int[][] {{0, 0}, {1, 2}, {2, 0}}) {
        for (int[] dilation : new int[][] {{1, 1}, {1, 2}, {3, 1}}) {
          for (int groups : new int[] {1, 2, 6}) {
            for (ImageLayout layout : ImageLayout.values()) {
              Window window =
                  Window.of(3, 2)
                      .withStride(stride[0], stride[1])
                      .withPadding(padding[0], padding[1])
                      .withDilation(dilation[0], dilation[1]);
              boolean bias = (groups + stride[0] + padding[0]) % 2 == 0;
              all.add(new PatchSamples(null, 3, 6, 9, 7, layout, window, groups, bias));
            }
          }
        }
      }
    }
    all.add(new PatchSamples(null, 2, 3, 2, 3, ImageLayout.NCHW, same(5), 1, true));
    all.add(new PatchSamples(null, 2, 13, 1, 1, ImageLayout.NCHW, same(1), 1, true));
    all.add(new PatchSamples(null, 4, 5, 12, 11, ImageLayout.NHWC, same(7), 1, false));
    all.add(new PatchSamples(null, 2, 8, 15, 16, ImageLayout.NCHW, same(3), 1, true));
    return all.stream();
  }

  private static Window same(int kernel) {
    return Window.of(kernel, kernel).withPadding(kernel / 2, kernel / 2);
  }

  private PatchSamples with(PatchSamples s, double[] data) {
    HostTensor image = direct(data);
    return new PatchSamples(
        image,
        s.examples(),
        s.channels(),
        s.height(),
        s.width(),
        s.layout(),
        s.window(),
        s.groups(),
        s.bias());
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void patchesFollowTheDefinition(PatchSamples shape) {
    double[] data =
        gaussian(random, shape.examples() * shape.channels() * shape.height() * shape.width());
    PatchSamples samples = with(shape, data);
    int rows = (int) samples.rows();
    MatrixStack target = zeros(samples.groups(), rows, samples.dim());
    backend.patches(samples, target);
    double[] all = target.toArray();
    for (int k = 0; k < samples.groups(); k++) {
      double[][] expected = Literal.patches(data, samples, k);
      for (int r = 0; r < rows; r++) {
        int from = (k * rows + r) * samples.dim();
        assertThat(Arrays.copyOfRange(all, from, from + samples.dim()))
            .containsExactly(expected[r]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void patchMomentsFollowTheDefinition(PatchSamples shape) {
    double[] data =
        gaussian(random, shape.examples() * shape.channels() * shape.height() * shape.width());
    checkMoment(with(shape, data), data);
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1,1,false",
    "1,1,1,13,true",
    "64,1,1,207,true",
    "7,3,1,64,true",
    "5,4,3,2,false",
    "600,1,1,33,true"
  })
  void rowMomentsFollowTheDefinition(
      int examples, int positions, int groups, int width, boolean bias) {
    double[] data = gaussian(random, examples * positions * groups * width);
    checkMoment(new RowSamples(direct(data), examples, positions, groups, width, bias), data);
  }

  @ParameterizedTest
  @CsvSource({"1,1,1,1", "3,20,1,13", "2,49,4,16", "33,1,2,5", "2,700,1,3"})
  void channelMomentsFollowTheDefinition(int examples, int positions, int groups, int dim) {
    double[] data = gaussian(random, examples * positions * groups * dim);
    checkMoment(new ChannelSamples(direct(data), examples, positions, groups, dim), data);
  }

  private void checkMoment(Samples samples, double[] data) {
    int n = samples.dim();
    double[] before = new double[samples.groups() * n * n];
    for (int k = 0; k < samples.groups(); k++) {
      System.arraycopy(covariance(random, n, n + 1), 0, before, k * n * n, n * n);
    }
    MatrixStack target = filled(samples.groups(), n, n, before);
    backend.accumulate(List.of(new Moment(target, 0.75, 0.5, samples)));
    double[] expected = new double[before.length];
    for (int k = 0; k < samples.groups(); k++) {
      double[] moment = Literal.secondMoment(Literal.rows(data, samples, k));
      for (int i = 0; i < n * n; i++) {
        expected[k * n * n + i] = 0.75 * before[k * n * n + i] + 0.5 * moment[i];
      }
    }
    double[] actual = target.toArray();
    assertThat(error(actual, expected)).isLessThan(tolerance());
    for (int k = 0; k < samples.groups(); k++) {
      double[] one = Arrays.copyOfRange(actual, k * n * n, (k + 1) * n * n);
      assertThat(Literal.transpose(one, n, n)).as("symmetric to the bit").containsExactly(one);
    }
  }

  @Test
  void heapAndDoubleTensorsAreReadToo() {
    double[] data = gaussian(random, 20 * 13);
    float[] floats = new float[data.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) data[i];
    }
    List<double[]> results = new ArrayList<>();
    for (HostTensor tensor :
        List.of(direct(data), HostTensor.of(floats, 20, 13), HostTensor.of(data, 20, 13))) {
      MatrixStack target = zeros(1, 13, 13);
      backend.accumulate(
          List.of(new Moment(target, 0, 1, new RowSamples(tensor, 20, 1, 1, 13, false))));
      results.add(target.toArray());
    }
    assertThat(results.get(1)).containsExactly(results.get(0));
    assertThat(results.get(2)).containsExactly(results.get(0));
  }

  @Test
  void aDecayOfZeroOverwritesWhateverWasThere() {
    MatrixStack target = filled(1, 2, 2, new double[] {Double.NaN, 1, Double.NaN, 1e30});
    RowSamples rows = new RowSamples(direct(new double[] {1, 2}), 1, 1, 1, 2, false);
    backend.accumulate(List.of(new Moment(target, 0, 1, rows)));
    assertThat(target.toArray()).containsExactly(1, 2, 2, 4);
  }

  @Test
  void manyMomentsAtOnceEqualOneByOneAndRepeatToTheBit() {
    List<Moment> together = new ArrayList<>();
    List<Moment> alone = new ArrayList<>();
    for (int n : new int[] {1, 2, 13, 64, 207}) {
      RowSamples samples =
          new RowSamples(direct(gaussian(random, 40 * n)), 40, 1, 1, n, n % 2 == 0);
      together.add(new Moment(zeros(1, samples.dim(), samples.dim()), 0, 0.1, samples));
      alone.add(new Moment(zeros(1, samples.dim(), samples.dim()), 0, 0.1, samples));
    }
    backend.accumulate(together);
    alone.forEach(moment -> backend.accumulate(List.of(moment)));
    for (int i = 0; i < together.size(); i++) {
      assertThat(alone.get(i).target().toArray())
          .containsExactly(together.get(i).target().toArray());
    }
  }

  @Test
  void noRequestsAreNoWork() {
    backend.accumulate(List.of());
    backend.accumulateInBasis(List.of());
    assertThat(backend.invert(List.of())).isEmpty();
    assertThat(backend.decompose(List.of())).isEmpty();
    assertThat(backend.precondition(List.of())).isEmpty();
    assertThat(backend.preconditionInBasis(List.of())).isEmpty();
    assertThat(backend.traces(List.of())).isEmpty();
    assertThat(backend.firstNonFinite(List.of())).isEmpty();
    backend.scale(List.of(), 2);
  }

  // --- small helpers

  @Test
  void tracesAreSums() {
    double[] values = gaussian(random, 3 * 13 * 13);
    double[] traces = backend.traces(List.of(filled(3, 13, 13, values))).get(0);
    for (int k = 0; k < 3; k++) {
      double expected = 0;
      for (int i = 0; i < 13; i++) {
        expected += values[k * 169 + i * 14];
      }
      assertThat(traces[k]).isCloseTo(expected, offset(1e-12));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 4096, 10_001})
  void theFirstNonFiniteElementIsFound(int n) {
    double[] values = gaussian(random, n);
    assertThat(backend.firstNonFinite(List.of(direct(values)))).containsExactly(-1);
    for (double bad :
        new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
      int at = random.nextInt(n);
      double[] damaged = values.clone();
      damaged[at] = bad;
      damaged[n - 1] = bad;
      assertThat(
              backend.firstNonFinite(
                  List.of(direct(values), direct(damaged), HostTensor.of(damaged, n))))
          .containsExactly(-1, at, at);
    }
  }

  @Test
  void scaleMultipliesInPlace() {
    HostTensor floats = direct(new double[] {1, -2, 3});
    HostTensor doubles = HostTensor.of(new double[] {4, 5}, 2);
    backend.scale(List.of(floats, doubles), 0.5);
    assertThat(floats.toArray()).containsExactly(0.5, -1, 1.5);
    assertThat(doubles.toArray()).containsExactly(2, 2.5);
  }

  // --- inversion

  @ParameterizedTest
  @CsvSource({
    "1,1e-1",
    "2,1e-3",
    "13,1e-1",
    "13,1e-4",
    "64,1e-2",
    "64,1e-5",
    "207,1e-1",
    "207,1e-3",
    "207,2e-5",
    "300,1e-3"
  })
  void invertsRankDeficientFactorsAsWellAsItsPrecisionAllows(int n, double damping) {
    int count = 3;
    double[] factors = new double[count * n * n];
    for (int k = 0; k < count; k++) {
      double[] one = covariance(random, n, Math.max(1, n / 2));
      System.arraycopy(one, 0, factors, k * n * n, n * n);
    }
    double[] dampings = {damping, 2 * damping, 3 * damping};
    MatrixStack source = filled(count, n, n, factors);
    MatrixStack inverse = zeros(count, n, n);
    Status[] status = backend.invert(List.of(new Inversion(source, 0.5, dampings, inverse))).get(0);
    assertThat(status).containsOnly(Status.OK);
    assertThat(source.toArray()).as("damping is not added in place").containsExactly(factors);
    for (int k = 0; k < count; k++) {
      double[] one = Arrays.copyOfRange(factors, k * n * n, (k + 1) * n * n);
      double[] exact = Literal.inverse(damped(one, n, 0.5, dampings[k]), n);
      double[] actual = Arrays.copyOfRange(inverse.toArray(), k * n * n, (k + 1) * n * n);
      double[] plain = Literal.inverseInFloat(damped(one, n, 0.5, dampings[k]), n);
      double allowed =
          inverse.isDouble() ? 1e-9 : Math.max(3 * Fixtures.frobeniusError(plain, exact), 1e-6);
      assertThat(Fixtures.frobeniusError(actual, exact)).isLessThan(allowed);
      assertThat(Literal.transpose(actual, n, n)).as("symmetric").containsExactly(actual);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 13, 64, 207})
  void aFailedInversionIsReportedAndLeavesTheOldValue(int n) {
    double[] good = damped(new double[n * n], n, 0, 2);
    double[] indefinite = good.clone();
    int pivot = n / 2;
    indefinite[pivot * (n + 1)] = -5;
    double[] nan = good.clone();
    nan[n - 1] = Double.NaN;
    nan[(n - 1) * n] = Double.NaN;
    double[] infinite = good.clone();
    infinite[0] = Double.POSITIVE_INFINITY;
    double[] factors = new double[4 * n * n];
    int k = 0;
    for (double[] one : List.of(indefinite, good, nan, infinite)) {
      System.arraycopy(one, 0, factors, k++ * n * n, n * n);
    }
    double[] old = gaussian(random, factors.length);
    MatrixStack inverse = filled(4, n, n, old);
    Inversion request =
        new Inversion(filled(4, n, n, factors), 1, new double[] {1, 1, 1, 1}, inverse);
    Status[] status = backend.invert(List.of(request)).get(0);
    assertThat(status)
        .containsExactly(
            Status.notPositiveDefinite(pivot), Status.OK, Status.NOT_FINITE, Status.NOT_FINITE);
    double[] after = inverse.toArray();
    assertThat(after[n * n]).isCloseTo(1 / 3.0, offset(1e-6));
    System.arraycopy(old, n * n, after, n * n, n * n);
    assertThat(after).containsExactly(old);
  }

  @Test
  void aThousandSmallInversesInOneCall() {
    int n = 16;
    int count = 1000;
    double[] factors = new double[count * n * n];
    for (int k = 0; k < count; k++) {
      System.arraycopy(covariance(random, n, 8), 0, factors, k * n * n, n * n);
    }
    double[] damping = new double[count];
    Arrays.fill(damping, 0.1);
    MatrixStack inverse = zeros(count, n, n);
    Status[] status =
        backend
            .invert(List.of(new Inversion(filled(count, n, n, factors), 1, damping, inverse)))
            .get(0);
    assertThat(status).containsOnly(Status.OK);
    double[] all = inverse.toArray();
    for (int k = 0; k < count; k += 37) {
      double[] one = Arrays.copyOfRange(factors, k * n * n, (k + 1) * n * n);
      double[] product =
          Literal.multiply(
              damped(one, n, 1, 0.1), Arrays.copyOfRange(all, k * n * n, (k + 1) * n * n), n, n, n);
      assertThat(error(product, damped(new double[n * n], n, 0, 1))).isLessThan(1e-5);
    }
  }

  // --- eigendecomposition

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 13, 64, 207})
  void eigendecompositionsReconstructTheirMatrix(int n) {
    double[] factors = new double[2 * n * n];
    System.arraycopy(covariance(random, n, n + 3), 0, factors, 0, n * n);
    System.arraycopy(covariance(random, n, Math.max(1, n / 3)), 0, factors, n * n, n * n);
    MatrixStack vectors = zeros(2, n, n);
    MatrixStack values = zeros(2, 1, n);
    MatrixStack source = filled(2, n, n, factors);
    Status[] status =
        backend.decompose(List.of(new Eigendecomposition(source, 2, vectors, values))).get(0);
    assertThat(status).containsOnly(Status.OK);
    assertThat(source.toArray()).containsExactly(factors);
    double allowed = vectors.isDouble() ? 1e-12 * n : 2e-6 * Math.sqrt(n) + 2e-6;
    for (int k = 0; k < 2; k++) {
      double[] q = Arrays.copyOfRange(vectors.toArray(), k * n * n, (k + 1) * n * n);
      double[] d = Arrays.copyOfRange(values.toArray(), k * n, (k + 1) * n);
      assertThat(d).isSorted();
      double[] qt = Literal.transpose(q, n, n);
      double[] qd = q.clone();
      for (int i = 0; i < n * n; i++) {
        qd[i] *= d[i % n];
      }
      double[] twice = damped(Arrays.copyOfRange(factors, k * n * n, (k + 1) * n * n), n, 2, 0);
      assertThat(error(Literal.multiply(qd, qt, n, n, n), twice)).isLessThan(allowed);
      double[] identity = damped(new double[n * n], n, 0, 1);
      assertThat(error(Literal.multiply(qt, q, n, n, n), identity)).isLessThan(allowed);
    }
  }

  @Test
  void aDecompositionOfNaNIsReported() {
    double[] old = gaussian(random, 9);
    MatrixStack vectors = filled(1, 3, 3, old);
    double[] nan = new double[9];
    nan[4] = Double.NaN;
    Eigendecomposition request =
        new Eigendecomposition(filled(1, 3, 3, nan), 1, vectors, zeros(1, 1, 3));
    assertThat(backend.decompose(List.of(request)).get(0)).containsExactly(Status.NOT_FINITE);
    assertThat(vectors.toArray()).containsExactly(old);
  }

  // --- preconditioning

  @ParameterizedTest
  @CsvSource({
    "1,1,1,true",
    "1,1,1,false",
    "1,13,7,true",
    "1,64,207,true",
    "1,207,64,false",
    "3,5,9,true",
    "8,1,9,false",
    "1,300,33,true"
  })
  void preconditioningIsTheProductWithBothInverses(int groups, int rows, int cols, boolean bias) {
    int width = cols;
    int dim = bias ? width + 1 : width;
    double[] g = gaussian(random, groups * rows * rows);
    double[] a = gaussian(random, groups * dim * dim);
    double[] weight = gaussian(random, groups * rows * width);
    double[] biasGradient = gaussian(random, groups * rows);
    HostTensor w = direct(weight);
    HostTensor b = bias ? direct(biasGradient) : null;
    HostTensor wOut = direct(new double[weight.length]);
    HostTensor bOut = bias ? direct(new double[biasGradient.length]) : null;
    MatrixStack gStack = filled(groups, rows, rows, g);
    MatrixStack aStack = filled(groups, dim, dim, a);
    Gradient in = new Gradient(w, b);
    double inner =
        backend
            .precondition(
                List.of(
                    new KroneckerStep(gStack, aStack, 0.5, in, new Gradient(wOut, bOut), null)))[0];
    assertThat(w.toArray()).as("the gradient is only read").containsExactly(weight);

    double[] dw = join(weight, biasGradient, groups * rows, width, bias);
    double[] expected = new double[dw.length];
    double expectedInner = 0;
    for (int k = 0; k < groups; k++) {
      double[] dwk = Arrays.copyOfRange(dw, k * rows * dim, (k + 1) * rows * dim);
      double[] gk = Arrays.copyOfRange(g, k * rows * rows, (k + 1) * rows * rows);
      double[] ak = Arrays.copyOfRange(a, k * dim * dim, (k + 1) * dim * dim);
      double[] u = Literal.multiply(Literal.multiply(gk, dwk, rows, rows, dim), ak, rows, dim, dim);
      for (int i = 0; i < u.length; i++) {
        expected[k * rows * dim + i] = 0.5 * u[i];
        expectedInner += 0.5 * u[i] * dwk[i];
      }
    }
    double[] actual =
        join(
            wOut.toArray(),
            bias ? bOut.toArray() : new double[biasGradient.length],
            groups * rows,
            width,
            bias);
    // outputs are fp32 tensors for every backend
    assertThat(error(actual, expected)).isLessThan(5e-6);
    double norms = Math.sqrt(dot(dw, dw) * dot(expected, expected));
    assertThat(Math.abs(inner - expectedInner)).isLessThan(5e-6 * norms);

    backend.precondition(List.of(new KroneckerStep(gStack, aStack, 0.5, in, in, null)));
    assertThat(w.toArray()).as("in place").containsExactly(wOut.toArray());
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  private static double[] join(double[] weight, double[] bias, int rows, int width, boolean has) {
    if (!has) {
      return weight;
    }
    double[] joined = new double[rows * (width + 1)];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(weight, i * width, joined, i * (width + 1), width);
      joined[i * (width + 1) + width] = bias[i];
    }
    return joined;
  }

  @ParameterizedTest
  @CsvSource({"3,40,50,true", "8,130,257,true", "16,20,300,false", "300,30,20,true"})
  void aSumOfOuterProductsGivesTheSameStep(int n, int rows, int width, boolean bias) {
    int dim = bias ? width + 1 : width;
    double[] x = gaussian(random, n * width);
    double[] ds = gaussian(random, n * rows);
    RowSamples a = new RowSamples(direct(x), n, 1, 1, width, bias);
    RowSamples g = new RowSamples(direct(ds), n, 1, 1, rows, false);
    double[][] aRows = Literal.rows(x, a, 0);
    double[] weight = new double[rows * width];
    double[] biasGradient = new double[rows];
    for (int r = 0; r < n; r++) {
      for (int i = 0; i < rows; i++) {
        double s = ds[r * rows + i] / n;
        for (int j = 0; j < width; j++) {
          weight[i * width + j] += s * aRows[r][j];
        }
        biasGradient[i] += s;
      }
    }
    MatrixStack gStack = filled(1, rows, rows, covariance(random, rows, rows));
    MatrixStack aStack = filled(1, dim, dim, covariance(random, dim, dim));
    HostTensor[] w = {direct(weight), direct(weight)};
    HostTensor[] b = {direct(biasGradient), direct(biasGradient)};
    double[] inner = new double[2];
    for (int i = 0; i < 2; i++) {
      Gradient gradient = new Gradient(w[i], bias ? b[i] : null);
      OuterProduct outer = i == 0 ? null : new OuterProduct(g, a, 1.0 / n);
      inner[i] =
          backend
              .precondition(
                  List.of(new KroneckerStep(gStack, aStack, 1, gradient, gradient, outer)))[0];
    }
    assertThat(error(w[1].toArray(), w[0].toArray())).isLessThan(1e-5);
    assertThat(error(b[1].toArray(), b[0].toArray())).isLessThan(1e-5);
    assertThat(inner[1]).isCloseTo(inner[0], withPercentage(1e-3));
  }

  @ParameterizedTest
  @CsvSource({"1,13,7,true,true", "2,5,64,true,true", "1,20,30,false,true", "1,9,4,false,false"})
  void preconditioningInABasisDividesThere(
      int groups, int rows, int dim, boolean rotated, boolean bias) {
    double[] qg = gaussian(random, groups * rows * rows);
    double[] qa = gaussian(random, groups * dim * dim);
    double[] moments = gaussian(random, groups * rows * dim);
    for (int i = 0; i < moments.length; i++) {
      moments[i] = Math.abs(moments[i]);
    }
    int width = bias ? dim - 1 : dim;
    double[] weight = gaussian(random, groups * rows * width);
    double[] biasGradient = gaussian(random, groups * rows);
    HostTensor w = direct(weight);
    HostTensor b = bias ? direct(biasGradient) : null;
    Gradient gradient = new Gradient(w, b);
    double inner =
        backend
            .preconditionInBasis(
                List.of(
                    new BasisStep(
                        rotated ? filled(groups, rows, rows, qg) : null,
                        rotated ? filled(groups, dim, dim, qa) : null,
                        filled(groups, rows, dim, moments),
                        2,
                        0.5,
                        gradient,
                        gradient)))[0];
    double[] dw = join(weight, biasGradient, groups * rows, width, bias);
    double[] expected = new double[dw.length];
    for (int k = 0; k < groups; k++) {
      double[] inBasis = Arrays.copyOfRange(dw, k * rows * dim, (k + 1) * rows * dim);
      double[] g = Arrays.copyOfRange(qg, k * rows * rows, (k + 1) * rows * rows);
      double[] a = Arrays.copyOfRange(qa, k * dim * dim, (k + 1) * dim * dim);
      if (rotated) {
        inBasis = Literal.multiply(Literal.transpose(g, rows, rows), inBasis, rows, rows, dim);
        inBasis = Literal.multiply(inBasis, a, rows, dim, dim);
      }
      for (int i = 0; i < inBasis.length; i++) {
        inBasis[i] /= 2 * moments[k * rows * dim + i] + 0.5;
      }
      if (rotated) {
        inBasis = Literal.multiply(g, inBasis, rows, rows, dim);
        inBasis = Literal.multiply(inBasis, Literal.transpose(a, dim, dim), rows, dim, dim);
      }
      System.arraycopy(inBasis, 0, expected, k * rows * dim, inBasis.length);
    }
    double[] actual =
        join(w.toArray(), bias ? b.toArray() : biasGradient, groups * rows, width, bias);
    assertThat(error(actual, expected)).isLessThan(5e-6);
    double norms = Math.sqrt(dot(dw, dw) * dot(expected, expected));
    assertThat(Math.abs(inner - dot(dw, expected))).isLessThan(5e-6 * norms);
  }

  @ParameterizedTest
  @CsvSource({"true,true", "true,false", "false,true"})
  void momentsInABasisSquarePerExampleGradients(boolean rotated, boolean convolution) {
    int groups = convolution ? 2 : 1;
    double[] image = gaussian(random, 5 * 4 * 6 * 5);
    double[] ds = gaussian(random, 5 * 6 * 6 * 5);
    Samples a =
        convolution
            ? new PatchSamples(direct(image), 5, 4, 6, 5, ImageLayout.NCHW, same(3), groups, true)
            : new RowSamples(direct(image), 30, 1, 1, 20, true);
    Samples g =
        convolution
            ? new ChannelSamples(direct(ds), 5, 30, groups, 3)
            : new RowSamples(direct(ds), 30, 1, 1, 30, false);
    int rows = g.dim();
    int cols = a.dim();
    double[] qg = gaussian(random, groups * rows * rows);
    double[] qa = gaussian(random, groups * cols * cols);
    double[] before = gaussian(random, groups * rows * cols);
    MatrixStack target = filled(groups, rows, cols, before);
    backend.accumulateInBasis(
        List.of(
            new BasisMoment(
                target,
                0.5,
                0.25,
                g,
                a,
                rotated ? filled(groups, rows, rows, qg) : null,
                rotated ? filled(groups, cols, cols, qa) : null)));
    double[] expected = new double[before.length];
    int positions = g.positions();
    for (int k = 0; k < groups; k++) {
      double[][] gRows = Literal.rows(ds, g, k);
      double[][] aRows = Literal.rows(image, a, k);
      double[] gk = Arrays.copyOfRange(qg, k * rows * rows, (k + 1) * rows * rows);
      double[] ak = Arrays.copyOfRange(qa, k * cols * cols, (k + 1) * cols * cols);
      double[] sum = new double[rows * cols];
      for (int n = 0; n < g.examples(); n++) {
        double[] gradient = new double[rows * cols];
        for (int t = n * positions; t < (n + 1) * positions; t++) {
          for (int i = 0; i < gradient.length; i++) {
            gradient[i] += gRows[t][i / cols] * aRows[t][i % cols];
          }
        }
        if (rotated) {
          gradient =
              Literal.multiply(Literal.transpose(gk, rows, rows), gradient, rows, rows, cols);
          gradient = Literal.multiply(gradient, ak, rows, cols, cols);
        }
        for (int i = 0; i < sum.length; i++) {
          sum[i] += gradient[i] * gradient[i];
        }
      }
      for (int i = 0; i < sum.length; i++) {
        int at = k * rows * cols + i;
        expected[at] = 0.5 * before[at] + 0.25 * sum[i];
      }
    }
    assertThat(error(target.toArray(), expected)).isLessThan(10 * tolerance());
  }
}
