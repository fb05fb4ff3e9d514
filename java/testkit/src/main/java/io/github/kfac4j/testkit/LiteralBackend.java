package io.github.kfac4j.testkit;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Every verb by its definition, with the loops of {@link Literal} in fp64: slow, and independent of
 * the reference backend, which is compared with it. Only its stacks are that backend's.
 */
public final class LiteralBackend implements Backend {
  private final Backend stacks = new JavaBackend();

  @Override
  public String name() {
    return "literal";
  }

  @Override
  public MatrixStack allocate(int count, int rows, int cols) {
    return stacks.allocate(count, rows, cols);
  }

  @Override
  public long[] firstNonFinite(List<? extends Tensor> tensors) {
    return tensors.stream()
        .mapToLong(
            tensor -> {
              double[] x = values(tensor);
              return IntStream.range(0, x.length)
                  .filter(i -> !Double.isFinite(x[i]))
                  .findFirst()
                  .orElse(-1);
            })
        .toArray();
  }

  @Override
  public double[] largest(List<? extends Tensor> tensors) {
    return tensors.stream()
        .mapToDouble(t -> Arrays.stream(values(t)).map(Math::abs).reduce(0, Math::max))
        .toArray();
  }

  @Override
  public void patches(PatchSamples samples, MatrixStack target) {
    double[] images = values(samples.data());
    target.set(
        IntStream.range(0, samples.groups())
            .mapToObj(k -> Literal.patches(images, samples, k))
            .flatMap(Arrays::stream)
            .flatMapToDouble(Arrays::stream)
            .toArray());
  }

  @Override
  public void accumulate(List<AccumulateRequest> moments) {
    for (AccumulateRequest moment : moments) {
      Samples samples = moment.samples();
      double[] data = values(samples.data());
      double[] sum =
          IntStream.range(0, samples.groups())
              .mapToObj(k -> Literal.secondMoment(Literal.rows(data, samples, k)))
              .flatMapToDouble(Arrays::stream)
              .toArray();
      update(moment.target(), moment.decay(), moment.weight(), sum);
    }
  }

  @Override
  public void accumulateInBasis(List<BasisAccumulateRequest> moments) {
    for (BasisAccumulateRequest moment : moments) {
      double[] gData = values(moment.g().data());
      double[] aData = values(moment.a().data());
      double[] sum =
          IntStream.range(0, moment.g().groups())
              .mapToObj(k -> squares(moment, k, gData, aData))
              .flatMapToDouble(Arrays::stream)
              .toArray();
      update(moment.target(), moment.decay(), moment.weight(), sum);
    }
  }

  /** The squares of each example's gradient of one group in the basis, summed over examples. */
  private static double[] squares(
      BasisAccumulateRequest moment, int group, double[] gData, double[] aData) {
    Samples g = moment.g();
    double[][] gRows = Literal.rows(gData, g, group);
    double[][] aRows = Literal.rows(aData, moment.a(), group);
    int rows = g.dim();
    int cols = moment.a().dim();
    double[] sum = new double[rows * cols];
    for (int n = 0; n < g.examples(); n++) {
      double[] gradient = new double[rows * cols];
      for (int t = n * g.positions(); t < (n + 1) * g.positions(); t++) {
        for (int i = 0; i < gradient.length; i++) {
          gradient[i] += gRows[t][i / cols] * aRows[t][i % cols];
        }
      }
      if (moment.gBasis() != null) {
        double[] q = Literal.transpose(columns(moment.gBasis(), group), rows, rows);
        gradient = Literal.multiply(q, gradient, rows, rows, cols);
        double[] p = columns(moment.aBasis(), group);
        gradient = Literal.multiply(gradient, p, rows, cols, cols);
      }
      for (int i = 0; i < sum.length; i++) {
        sum[i] += gradient[i] * gradient[i];
      }
    }
    return sum;
  }

  private static void update(MatrixStack target, double decay, double weight, double[] sum) {
    double[] before = target.toArray();
    double[] after = new double[sum.length];
    Arrays.setAll(after, i -> (decay == 0 ? 0 : decay * before[i]) + weight * sum[i]);
    target.set(after);
  }

  @Override
  public List<double[]> traces(List<MatrixStack> all) {
    return all.stream()
        .map(
            stack ->
                IntStream.range(0, stack.count())
                    .mapToDouble(k -> Literal.trace(matrix(stack, k), stack.rows()))
                    .toArray())
        .toList();
  }

  @Override
  public List<Status[]> invert(List<InvertRequest> inversions) {
    return inversions.stream()
        .map(
            request ->
                IntStream.range(0, request.source().count())
                    .mapToObj(k -> invert(request, k))
                    .toArray(Status[]::new))
        .toList();
  }

  private static Status invert(InvertRequest request, int k) {
    int n = request.source().rows();
    double[] m =
        Fixtures.damped(matrix(request.source(), k), n, request.scale(), request.damping()[k]);
    if (!Arrays.stream(m).allMatch(Double::isFinite)) {
      return Status.NOT_FINITE;
    }
    int pivot = Literal.firstPivotNotPositive(m, n);
    if (pivot >= 0) {
      return Status.notPositiveDefinite(pivot);
    }
    put(request.inverse(), k, Literal.symmetric(Literal.inverse(m, n), n));
    return Status.OK;
  }

  @Override
  public List<Status[]> decompose(List<DecomposeRequest> decompositions) {
    return decompositions.stream()
        .map(
            request ->
                IntStream.range(0, request.source().count())
                    .mapToObj(k -> decompose(request, k))
                    .toArray(Status[]::new))
        .toList();
  }

  private static Status decompose(DecomposeRequest request, int k) {
    int n = request.source().rows();
    double[] m = Fixtures.damped(matrix(request.source(), k), n, request.scale(), 0);
    if (!Arrays.stream(m).allMatch(Double::isFinite)) {
      return Status.NOT_FINITE;
    }
    Jacobi eigen = Jacobi.of(m, n);
    int[] order =
        IntStream.range(0, n)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> eigen.values()[i]))
            .mapToInt(i -> i)
            .toArray();
    double[] vectors = new double[n * n];
    Arrays.setAll(vectors, i -> eigen.vectors()[i / n * n + order[i % n]]);
    put(request.vectors(), k, vectors);
    put(request.values(), k, Arrays.stream(order).mapToDouble(i -> eigen.values()[i]).toArray());
    return Status.OK;
  }

  @Override
  public double[] precondition(List<PreconditionRequest> requests) {
    return requests.stream()
        .mapToDouble(
            request -> {
              int rows = request.gInverse().rows();
              int cols = request.aInverse().rows();
              return each(
                  request.gradient(),
                  request.result(),
                  rows,
                  cols,
                  (k, dw) -> {
                    double[] half =
                        Literal.multiply(matrix(request.gInverse(), k), dw, rows, rows, cols);
                    double[] u =
                        Literal.multiply(half, matrix(request.aInverse(), k), rows, cols, cols);
                    Arrays.setAll(u, i -> request.scale() * u[i]);
                    return u;
                  });
            })
        .toArray();
  }

  @Override
  public double[] preconditionInBasis(List<BasisPreconditionRequest> requests) {
    return requests.stream()
        .mapToDouble(
            request ->
                each(
                    request.gradient(),
                    request.result(),
                    request.moments().rows(),
                    request.moments().cols(),
                    (k, dw) -> divide(request, k, dw)))
        .toArray();
  }

  private static double[] divide(BasisPreconditionRequest request, int k, double[] dw) {
    int rows = request.moments().rows();
    int cols = request.moments().cols();
    double[] moments = matrix(request.moments(), k);
    double[] q = request.gBasis() == null ? null : columns(request.gBasis(), k);
    double[] p = request.aBasis() == null ? null : columns(request.aBasis(), k);
    double[] inside = dw.clone();
    if (q != null) {
      inside = Literal.multiply(Literal.transpose(q, rows, rows), inside, rows, rows, cols);
      inside = Literal.multiply(inside, p, rows, cols, cols);
    }
    for (int i = 0; i < inside.length; i++) {
      inside[i] /= request.scale() * moments[i] + request.damping();
    }
    if (q != null) {
      inside = Literal.multiply(q, inside, rows, rows, cols);
      inside = Literal.multiply(inside, Literal.transpose(p, cols, cols), rows, cols, cols);
    }
    return inside;
  }

  /** What is done with the gradient of one group. */
  private interface GroupWork {
    double[] apply(int group, double[] dw);
  }

  /** Works group by group; returns the inner product of result and gradient. */
  private static double each(Gradient in, Gradient out, int rows, int cols, GroupWork work) {
    double[] weight = values(in.weight());
    double[] bias = in.bias() == null ? null : values(in.bias());
    int width = bias == null ? cols : cols - 1;
    double inner = 0;
    for (int k = 0; k < weight.length / rows / width; k++) {
      int first = k * rows;
      double[] dw = new double[rows * cols];
      for (int i = 0; i < dw.length; i++) {
        int row = first + i / cols;
        dw[i] = i % cols < width ? weight[row * width + i % cols] : bias[row];
      }
      double[] u = work.apply(k, dw);
      inner += Literal.dot(u, dw);
      for (int i = 0; i < rows; i++) {
        write(out.weight(), (first + i) * width, Arrays.copyOfRange(u, i * cols, i * cols + width));
        if (bias != null) {
          write(out.bias(), first + i, new double[] {u[i * cols + width]});
        }
      }
    }
    return inner;
  }

  @Override
  public void scale(List<? extends Tensor> tensors, double factor) {
    for (Tensor tensor : tensors) {
      write(tensor, 0, Arrays.stream(values(tensor)).map(x -> factor * x).toArray());
    }
  }

  private static double[] values(Tensor tensor) {
    return ((HostTensor) tensor).toArray();
  }

  private static void write(Tensor tensor, int from, double[] x) {
    ((HostTensor) tensor).write(from, x, 0, x.length);
  }

  /** The vectors of a basis as columns, whatever its form. */
  public static double[] columns(Basis basis, int k) {
    double[] elements = matrix(basis.matrices(), k);
    if (!basis.isReflected()) {
      return elements;
    }
    int n = basis.dim();
    int r = basis.reflections();
    double[] q = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double sum = i == j ? 1 : 0;
        for (int l = 0; l < r; l++) {
          sum -= elements[i * r + l] * elements[n * r + j * r + l];
        }
        q[i * n + j] = sum;
      }
    }
    return q;
  }

  private static double[] matrix(MatrixStack stack, int k) {
    int size = stack.rows() * stack.cols();
    return Arrays.copyOfRange(stack.toArray(), k * size, (k + 1) * size);
  }

  private static void put(MatrixStack stack, int k, double[] matrix) {
    double[] all = stack.toArray();
    System.arraycopy(matrix, 0, all, k * matrix.length, matrix.length);
    stack.set(all);
  }

  @Override
  public void close() {
    stacks.close();
  }
}
