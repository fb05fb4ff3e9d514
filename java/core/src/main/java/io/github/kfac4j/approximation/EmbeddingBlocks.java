package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.Fp32Range;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.MatrixSpec;
import io.github.kfac4j.curvature.MatrixSpec.Role;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.curvature.StateMatrix;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.LayerReport.FactorReport;
import io.github.kfac4j.data.LayerReport.FactorReport.Kind;
import io.github.kfac4j.data.LayerReport.GroupReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.inversion.RobustDecomposition;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Tokens;
import io.github.kfac4j.layer.Use;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Blocks {@code A x G} with A diagonal, of {@link Embedding} layers. With A diagonal the block is
 * diagonal in the basis (identity, eigenvectors of G), whatever the damping mode:
 *
 * <pre>
 * exact:    m a_i g_j + lambda
 * factored: m (a_i + damping of A) (g_j + damping of G)
 * </pre>
 *
 * <p>The moments that are kept are these numbers less the smallest of them, which becomes the
 * damping of the step.
 */
public final class EmbeddingBlocks implements Curvature {
  private final Backend backend;
  private final Convention convention;
  private final boolean factored;

  EmbeddingBlocks(Backend backend, Convention convention, DampingMode mode) {
    this.backend = backend;
    this.convention = convention;
    this.factored = mode == DampingMode.FACTORED;
  }

  @Override
  public String refusal(Layer layer, Approximation approximation) {
    return approximation == Approximation.KRONECKER
        ? null
        : "an embedding has the approximation KRONECKER, whose factor of the rows is a diagonal"
            + " already, and not "
            + approximation
            + ", which would square a table of gradients for each example; choose KRONECKER for"
            + " this layer";
  }

  /** Tied to the softmax, both factors pool moments of gradients and of others. */
  @Override
  public String inseparable(Observation seen, KfacOptions options) {
    boolean logits = seen.input().shape().rank() == seen.outputGrad().shape().rank();
    return logits && convention.dividesTwice(options.estimator())
        ? "an embedding tied to the softmax has no shards under the convention "
            + convention.id()
            + " with the empirical Fisher; choose another convention or estimator"
        : null;
  }

  @Override
  public List<MatrixSpec> specs(Layer layer) {
    int rows = layer.inputDim();
    int width = layer.outputDim();
    return List.of(
        new MatrixSpec(Factors.A, Role.INPUT_FACTOR, 1, 1, rows),
        new MatrixSpec(Factors.G, Role.OUTPUT_FACTOR, 1, width, width),
        new MatrixSpec(KroneckerBases.G_BASIS, Role.BASIS, 1, width, width),
        new MatrixSpec(KroneckerBases.MOMENTS, Role.RESULT, 1, rows, width));
  }

  /** The damping that was taken out of the moments is added to them again. */
  @Override
  public double largestAddend(LayerState state, StateKey key) {
    return key.equals(KroneckerBases.MOMENTS) ? state.counters.blockDamping : 0;
  }

  @Override
  public boolean hasSmaller() {
    return false;
  }

  /** Where the weight is tied, both factors pool both. */
  @Override
  public boolean inputsApart() {
    return false;
  }

  @Override
  public void observe(List<Batch> batches, KfacOptions options) {
    Averages.update(
        backend, batches, (averages, batch, use) -> addWidths(averages, batch, use, options));
    for (Batch batch : batches) {
      addRows(batch, options);
      Factors.observed(batch, options);
    }
  }

  private void addWidths(Averages averages, Batch batch, int use, KfacOptions options) {
    Use one = batch.uses().get(use);
    boolean lookup = one instanceof Tokens;
    RowSamples samples = lookup ? ((Tokens) one).g() : (RowSamples) ((Vectors) one).a();
    double weight =
        (1 - options.decay())
            * convention.outputWeight(batch.examples(), batch.positions(), false)
            * (lookup ? batch.gScale() * batch.gScale() : 1);
    averages.add(batch, Factors.G, use == 0 ? options.decay() : 1, weight, samples);
  }

  /** Token frequencies and squared gradients of the logits. */
  private void addRows(Batch batch, KfacOptions options) {
    double decay = options.decay();
    double weight =
        (1 - decay) * convention.inputWeight(batch.examples(), batch.positions(), false);
    if (!((Embedding) batch.state().layer).timesUses()) {
      weight /= batch.uses().size();
    }
    StateMatrix average = batch.state().matrix(Factors.A);
    double[] a = average.values();
    for (int i = 0; i < a.length; i++) {
      a[i] *= decay;
    }
    for (Use use : batch.uses()) {
      if (use instanceof Tokens tokens) {
        for (int id : tokens.ids()) {
          a[id] += weight;
        }
      } else {
        double scale = weight * batch.gScale() * batch.gScale();
        addSquares(a, scale, (HostTensor) ((Vectors) use).g().data());
      }
    }
    average.set(a);
  }

  private static void addSquares(double[] sum, double weight, HostTensor rows) {
    double[] row = new double[sum.length];
    for (int start = 0; start < rows.size(); start += row.length) {
      rows.read(start, row, 0, row.length);
      for (int i = 0; i < row.length; i++) {
        sum[i] += weight * row[i] * row[i];
      }
    }
  }

  @Override
  public List<LayerReport> refresh(List<LayerState> states, KfacOptions options) {
    List<DecomposeRequest> requests =
        states.stream().map(s -> Bases.request(backend, s, Factors.G)).toList();
    try {
      List<RobustDecomposition.DecompositionOutcome> outcomes =
          RobustDecomposition.decompose(backend, requests);
      List<LayerReport> reports = new ArrayList<>();
      for (int i = 0; i < states.size(); i++) {
        LayerState state = states.get(i);
        boolean good = outcomes.get(i).ok();
        String words = outcomes.get(i).words(Factors.G.name());
        String status = Bases.resolve(state, good, words, options.inversePolicy());
        reports.add(renew(state, good ? requests.get(i) : null, status, options));
      }
      return reports;
    } finally {
      requests.forEach(RobustDecomposition::close);
    }
  }

  private LayerReport renew(
      LayerState state, DecomposeRequest result, String status, KfacOptions options) {
    double lambda = Curvature.lambda(state.layer, options);
    StateMatrix products = state.matrix(KroneckerBases.MOMENTS);
    if (result == null) {
      return Bases.report(state, lambda, products.values(), status);
    }
    double debias = Factors.debias(state);
    double[] a = state.matrix(Factors.A).values();
    Arrays.setAll(a, i -> a[i] * debias);
    double[] g = Fp32Range.scaled(result.values().toArray(), state.exponent(Factors.G));
    Arrays.setAll(g, j -> convention.clean(g[j]));
    state.stack(KroneckerBases.G_BASIS).set(result.vectors().toArray());
    double m = convention.blockScale(state.counters.positions);
    if (!factored) {
      double[] moments = products(a, g, m);
      products.set(moments);
      return Bases.report(state, lambda, moments, status);
    }
    FactoredDamping damping =
        FactoredDamping.split(convention, lambda / m, mean(a), a.length, mean(g), g.length);
    Arrays.setAll(a, i -> damping.scale() * a[i] + damping.a());
    Arrays.setAll(g, j -> damping.scale() * g[j] + damping.g());
    double[] moments = products(a, g, m);
    double smallest = m * smallest(a) * smallest(g);
    Arrays.setAll(moments, i -> Math.max(0, moments[i] - smallest));
    products.set(moments, smallest);
    state.counters.blockDamping = smallest;
    List<FactorReport> factors =
        List.of(
            new FactorReport(Factors.A.name(), Kind.INPUTS, damping.a(), largest(a) / smallest(a)),
            new FactorReport(
                Factors.G.name(), Kind.OUTPUT_GRADIENTS, damping.g(), largest(g) / smallest(g)));
    String words = Bases.withError(state, largest(g) / smallest(g), status);
    GroupReport group = new GroupReport(damping.pi(), factors, words);
    return new LayerReport(state.name, a.length, g.length, 1, List.of(group), 0);
  }

  /** {@code m a_i g_j}, row by row. */
  private static double[] products(double[] a, double[] g, double m) {
    double[] products = new double[a.length * g.length];
    Arrays.setAll(products, i -> m * a[i / g.length] * g[i % g.length]);
    return products;
  }

  private static double mean(double[] x) {
    return Arrays.stream(x).sum() / x.length;
  }

  private static double smallest(double[] x) {
    return Arrays.stream(x).min().orElse(0);
  }

  private static double largest(double[] x) {
    return Arrays.stream(x).max().orElse(0);
  }

  @Override
  public List<Result> precondition(List<Request> requests, KfacOptions options) {
    List<BasisPreconditionRequest> steps = new ArrayList<>();
    List<Integer> shifts = new ArrayList<>();
    for (Request request : requests) {
      LayerState state = request.state();
      double lambda =
          factored ? state.counters.blockDamping : Curvature.lambda(state.layer, options);
      int shift = Bases.shift(state, 1, lambda);
      shifts.add(shift);
      steps.add(
          new BasisPreconditionRequest(
              null,
              Basis.ofColumns(state.stack(KroneckerBases.G_BASIS)),
              state.stack(KroneckerBases.MOMENTS),
              Math.scalb(1.0, state.exponent(KroneckerBases.MOMENTS) + shift),
              Math.scalb(lambda, shift),
              request.gradient(),
              request.gradient()));
    }
    return Bases.precondition(backend, requests, steps, shifts);
  }
}
