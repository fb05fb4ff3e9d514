package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.RowSamples;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Steps by eigendecompositions where the batch is smaller than the layer, from its examples on:
 * exact damping, inverses by eigenvalues, and EKFAC in a basis that is given, since its moments
 * depend on the basis of the null space. They may be twice as far from fp64 as fp64 arithmetic on
 * what is stored, rounded to fp32: factors, inverses and gradients, and 2e-5 more; with the
 * gradient of the batch, whose error is that of a null space where nothing of it lies, twice as far
 * or 1e-3.
 */
final class EigenStepChecks {
  private static final String VERB = "decompose";
  private static final int OUTPUTS = 33;

  private final Comparison comparison;

  EigenStepChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  /** What a layer saw. */
  private record Batch(int examples, int width, double[] x, double[] g) {
    double meanSquare(double[] rows) {
      return Literal.dot(rows, rows) / rows.length;
    }

    double[] gradient() {
      double[] dw = new double[OUTPUTS * width];
      for (int r = 0; r < examples; r++) {
        for (int i = 0; i < dw.length; i++) {
          dw[i] += g[r * OUTPUTS + i / width] * x[r * width + i % width] / examples;
        }
      }
      return dw;
    }
  }

  void run(Extent extent) {
    for (int examples : new int[] {1, 3, 32}) {
      for (String inputs : List.of("Gaussian", "ReLU", "equal")) {
        steps(inputs, examples, 120);
      }
    }
    if (extent.has(299)) {
      steps("equal", 2, 299);
    }
  }

  private void steps(String inputs, int examples, int width) {
    String batch = "%d %s inputs, %d -> %d".formatted(examples, inputs, width, OUTPUTS);
    Random random = comparison.random(VERB, batch);
    double[] x = Fixtures.gaussian(random, examples * width);
    for (int i = 0; i < x.length; i++) {
      x[i] =
          inputs.equals("ReLU") ? Math.max(0, x[i]) : inputs.equals("equal") ? x[i % width] : x[i];
    }
    double[] g = Fixtures.gaussian(random, examples * OUTPUTS);
    Arrays.setAll(g, i -> (float) (0.1 * g[i]));
    Batch data = new Batch(examples, width, x, g);
    double[] any = Fixtures.gaussian(random, OUTPUTS * width);
    for (double damping : new double[] {1e-1, 3e-4}) {
      steps(data, damping, "random gradient, damping %s, %s".formatted(damping, batch), any, 0);
      double[] own = data.gradient();
      steps(data, damping, "own gradient, damping %s, %s".formatted(damping, batch), own, 1e-3);
    }
  }

  private void steps(Batch batch, double damping, String what, double[] dw, double least) {
    KfacOptions options = KfacOptions.DEFAULT.withDecay(0).withDamping(damping);
    check(
        "exact damping, " + what,
        least,
        side -> step(side, batch, options.withDampingMode(DampingMode.EXACT), dw),
        () -> Basis.of(batch, true).step((g, a) -> g * a + damping, rounded(dw)));
    InversePolicy policy = options.inversePolicy().withMethod(InversePolicy.Method.EIGEN);
    double root = Math.sqrt(damping);
    double pi = Math.sqrt(batch.meanSquare(batch.x) / batch.meanSquare(batch.g));
    check(
        "inverses by eigenvalues, " + what,
        least,
        side -> step(side, batch, options.withInversePolicy(policy), dw),
        () -> Basis.of(batch, true).stepByInverses(root / pi, pi * root, rounded(dw)));
    Basis basis = Basis.of(batch, false);
    double[] moments = basis.moments(batch);
    check(
        "EKFAC, " + what,
        least,
        side -> basis.step(side, moments, damping, dw),
        () -> Basis.onOracle(side -> basis.step(side, rounded(moments), damping, rounded(dw))));
  }

  private void check(
      String what, double least, Function<Side, double[]> work, Supplier<double[]> onRounded) {
    comparison.check(
        VERB,
        what,
        exact ->
            Math.max(
                least,
                2 * Fixtures.frobeniusError(onRounded.get(), exact) + (least > 0 ? 0 : 2e-5)),
        work,
        Fixtures::frobeniusError);
  }

  private static double[] rounded(double[] x) {
    return Arrays.stream(x).map(v -> (float) v).toArray();
  }

  /** A whole step. */
  private static double[] step(Side side, Batch batch, KfacOptions options, double[] dw) {
    Dense layer = new Dense(batch.width, OUTPUTS, false);
    try (Kfac kfac = new Kfac(side.backend(), Map.of("layer", layer), options)) {
      HostTensor x = side.tensor(batch.x, batch.examples, batch.width);
      kfac.observe(
          List.of(
              Observation.ofSumLoss("layer", x, side.tensor(batch.g, batch.examples, OUTPUTS))));
      kfac.refresh();
      HostTensor u = side.tensor(dw, OUTPUTS, batch.width);
      kfac.precondition(List.of(new LayerGradient("layer", u, null)));
      return u.toArray();
    }
  }

  /** Eigenvectors of both factors, and their eigenvalues. */
  private record Basis(double[] g, double[] gValues, double[] a, double[] aValues) {
    static double[] onOracle(Function<Side, double[]> work) {
      try (JavaBackend java = new JavaBackend();
          Side side = new Side(java, true)) {
        return work.apply(side);
      }
    }

    static Basis of(Batch batch, boolean rounded) {
      double[] g = new double[OUTPUTS * OUTPUTS];
      double[] a = new double[batch.width * batch.width];
      double[] gValues = onOracle(side -> decompose(side, batch.g, rounded, g));
      return new Basis(g, gValues, a, onOracle(side -> decompose(side, batch.x, rounded, a)));
    }

    private static double[] decompose(Side side, double[] rows, boolean round, double[] vectors) {
      int n = (int) Math.sqrt(vectors.length);
      int count = rows.length / n;
      MatrixStack source = side.zeros(1, n, n);
      RowSamples samples = new RowSamples(side.tensor(rows), count, 1, 1, n, false);
      side.backend().accumulate(List.of(new AccumulateRequest(source, 0, 1.0 / count, samples)));
      source.set(round ? rounded(source.toArray()) : source.toArray());
      MatrixStack q = side.zeros(1, n, n);
      MatrixStack w = side.zeros(1, 1, n);
      side.backend().decompose(List.of(new DecomposeRequest(source, 1, q, w)));
      System.arraycopy(q.toArray(), 0, vectors, 0, vectors.length);
      return Arrays.stream(w.toArray()).map(v -> Math.max(0, v)).toArray();
    }

    double[] moments(Batch batch) {
      return onOracle(
          side -> {
            MatrixStack moments = side.zeros(1, OUTPUTS, batch.width);
            int n = batch.examples;
            side.backend()
                .accumulateInBasis(
                    List.of(
                        new BasisAccumulateRequest(
                            moments,
                            0,
                            1.0 / n,
                            new RowSamples(side.tensor(batch.g), n, 1, 1, OUTPUTS, false),
                            new RowSamples(side.tensor(batch.x), n, 1, 1, batch.width, false),
                            side.basis(OUTPUTS, g),
                            side.basis(batch.width, a))));
            return moments.toArray();
          });
    }

    /** The step of fp64 with damped eigenvalues of the block from those of G and A. */
    double[] step(DoubleBinaryOperator damped, double[] dw) {
      double least = damped.applyAsDouble(0, 0);
      int width = aValues.length;
      double[] moments = new double[dw.length];
      Arrays.setAll(
          moments, i -> damped.applyAsDouble(gValues[i / width], aValues[i % width]) - least);
      return onOracle(side -> step(side, moments, least, dw));
    }

    /** The step of fp64 with damped inverses that were rounded to fp32. */
    double[] stepByInverses(double onG, double onA, double[] dw) {
      return onOracle(
          side -> {
            HostTensor u = side.tensor(dw, OUTPUTS, aValues.length);
            Gradient gradient = new Gradient(u, null);
            MatrixStack gInverse = inverse(side, g, gValues, onG);
            MatrixStack aInverse = inverse(side, a, aValues, onA);
            side.backend()
                .precondition(
                    List.of(new PreconditionRequest(gInverse, aInverse, 1, gradient, gradient)));
            return u.toArray();
          });
    }

    private static MatrixStack inverse(Side side, double[] q, double[] values, double damping) {
      int n = values.length;
      double[] scaled = new double[n * n];
      double[] transposed = new double[n * n];
      for (int i = 0; i < n * n; i++) {
        scaled[i] = q[i] / (values[i % n] + damping);
        transposed[i % n * n + i / n] = q[i];
      }
      return side.stack(1, n, n, rounded(Literal.multiply(scaled, transposed, n, n, n)));
    }

    double[] step(Side side, double[] moments, double damping, double[] dw) {
      HostTensor u = side.tensor(dw, OUTPUTS, aValues.length);
      Gradient gradient = new Gradient(u, null);
      side.backend()
          .preconditionInBasis(
              List.of(
                  new BasisPreconditionRequest(
                      side.basis(OUTPUTS, g),
                      side.basis(aValues.length, a),
                      side.stack(1, OUTPUTS, aValues.length, moments),
                      1,
                      damping,
                      gradient,
                      gradient)));
      return u.toArray();
    }
  }
}
