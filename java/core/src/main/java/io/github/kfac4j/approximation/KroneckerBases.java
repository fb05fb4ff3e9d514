package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.LayerCounters;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.MatrixSpec;
import io.github.kfac4j.curvature.MatrixSpec.Role;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.inversion.RobustDecomposition;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.KfacOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Blocks that are diagonal in a Kronecker basis, damped exactly. Three approximations differ only
 * in the basis and in where the diagonal S comes from: eigenvectors and products of eigenvalues
 * (exactly damped Kronecker), leading eigenvectors and measured moments (EKFAC), identity and
 * measured moments (diagonal).
 */
public final class KroneckerBases implements Curvature {
  public static final StateKey A_BASIS = new StateKey("A_basis");
  public static final StateKey G_BASIS = new StateKey("G_basis");
  public static final StateKey MOMENTS = new StateKey("moments");

  /** EKFAC measures its moments on an eighth of a batch, but on no fewer examples. */
  private static final int MIN_EXAMPLES = 32;

  private final Backend backend;
  private final Convention convention;
  private final boolean rotated;
  private final boolean measured;
  private final Renewals renewals;

  KroneckerBases(Backend backend, Convention convention, Approximation approximation) {
    this.backend = backend;
    this.convention = convention;
    this.rotated = approximation != Approximation.DIAGONAL;
    this.measured = approximation != Approximation.KRONECKER;
    this.renewals = new Renewals(backend, convention);
  }

  @Override
  public List<MatrixSpec> specs(Layer layer) {
    Role role = measured ? Role.MOMENTS : Role.RESULT;
    MatrixSpec moments =
        new MatrixSpec(MOMENTS, role, layer.groups(), layer.outputDim(), layer.inputDim());
    return rotated
        ? List.of(
            Factors.input(Factors.A, Role.INPUT_FACTOR, layer),
            Factors.output(Factors.G, Role.OUTPUT_FACTOR, layer),
            Factors.input(A_BASIS, Role.BASIS, layer),
            Factors.output(G_BASIS, Role.BASIS, layer),
            moments)
        : List.of(moments);
  }

  @Override
  public void initialize(LayerState state) {
    if (rotated) {
      Factors.initialize(state, convention);
    }
  }

  @Override
  public void requireCounters(LayerState state, double[] saved) {
    LayerCounters.requireReflections(
        state.name,
        saved,
        Renewals.reflections(state.layer.inputDim()),
        Renewals.reflections(state.layer.outputDim()));
  }

  /** A basis of a layer; null, for the identity, if it has none of that name. */
  public static Basis basis(LayerState state, StateKey key) {
    if (!state.has(key)) {
      return null;
    }
    LayerCounters counters = state.counters;
    return new Basis(
        state.stack(key), key.equals(A_BASIS) ? counters.aReflections : counters.gReflections);
  }

  @Override
  public boolean hasSmaller() {
    return rotated && convention != Convention.KFAC_PYTORCH;
  }

  @Override
  public boolean inputsApart() {
    return rotated;
  }

  @Override
  public boolean groupsByExample() {
    return measured;
  }

  @Override
  public void observe(List<Batch> batches, KfacOptions options) {
    if (rotated) {
      Factors.observe(backend, batches, options);
    }
    List<Batch> inBasis =
        batches.stream()
            .filter(b -> measured && b.part() != Part.A && (!rotated || b.state().ready()))
            .toList();
    double decay = options.decay();
    Averages averages = new Averages(backend);
    inBasis.forEach(batch -> averages.add(batch, MOMENTS, moment(batch, decay, rotated)));
    averages.run();
    inBasis.forEach(batch -> batch.state().counters.observed(Role.MOMENTS, decay));
  }

  /**
   * The gradient of an example is the sum over all uses. In a basis their squares are expensive,
   * and noise of the measurement is averaged out by the steps of the running average: a part of a
   * large batch is enough.
   */
  private static BasisAccumulateRequest moment(Batch batch, double decay, boolean rotated) {
    LayerState state = batch.state();
    Vectors vectors = Vectors.join(batch.uses().stream().map(Vectors.class::cast).toList());
    int all = batch.examples();
    Vectors some = rotated ? ExampleSample.of(vectors, Math.max(MIN_EXAMPLES, all / 8)) : vectors;
    double weight = (1 - decay) * batch.gScale() * batch.gScale() / some.examples();
    return new BasisAccumulateRequest(
        state.stack(MOMENTS),
        decay,
        weight,
        some.g(),
        some.a(),
        basis(state, G_BASIS),
        basis(state, A_BASIS));
  }

  @Override
  public List<LayerReport> refresh(List<LayerState> states, KfacOptions options) {
    Set<LayerState> rest = Set.of();
    if (rotated) {
      rest = measured ? renewals.renew(states, options) : new HashSet<>(states);
    }
    List<LayerState> anew = states.stream().filter(rest::contains).toList();
    Iterator<LayerReport> decomposed = decompose(anew, options).iterator();
    List<LayerReport> reports = new ArrayList<>();
    for (LayerState state : states) {
      if (rest.contains(state)) {
        reports.add(decomposed.next());
      } else {
        state.counters.staleRefreshes = 0;
        reports.add(report(state, options, LayerReport.OK));
      }
    }
    return reports;
  }

  private List<LayerReport> decompose(List<LayerState> states, KfacOptions options) {
    List<DecomposeRequest> requests = new ArrayList<>();
    List<LayerReport> reports = new ArrayList<>();
    try {
      for (LayerState state : states) {
        requests.add(Bases.request(backend, state, Factors.A));
        requests.add(Bases.request(backend, state, Factors.G));
      }
      List<RobustDecomposition.DecompositionOutcome> outcomes =
          RobustDecomposition.decompose(backend, requests);
      for (int i = 0; i < states.size(); i++) {
        LayerState state = states.get(i);
        RobustDecomposition.DecompositionOutcome a = outcomes.get(2 * i);
        RobustDecomposition.DecompositionOutcome g = outcomes.get(2 * i + 1);
        boolean good = a.ok() && g.ok();
        String words =
            Stream.of(a.words(Factors.A.name()), g.words(Factors.G.name()))
                .filter(w -> !w.isEmpty())
                .collect(Collectors.joining("; "));
        String status = Bases.resolve(state, good, words, options.inversePolicy());
        if (good) {
          setBases(state, requests.get(2 * i), requests.get(2 * i + 1));
        }
        reports.add(report(state, options, status));
      }
    } finally {
      requests.forEach(RobustDecomposition::close);
    }
    return reports;
  }

  /** Takes over both new bases at once: the moments are only valid in the basis they belong to. */
  private void setBases(LayerState state, DecomposeRequest a, DecomposeRequest g) {
    state.stack(A_BASIS).set(a.vectors().toArray());
    state.stack(G_BASIS).set(g.vectors().toArray());
    state.counters.aReflections = 0;
    state.counters.gReflections = 0;
    setMoments(state, convention, a.values().toArray(), g.values().toArray());
  }

  /**
   * {@code S = m d_G d_A'}: what the block has on its diagonal if it is a Kronecker product.
   *
   * @param a eigenvalues of the stored matrices, {@code [groups, cols]}
   * @param g the same, {@code [groups, rows]}
   */
  static void setMoments(LayerState state, Convention convention, double[] a, double[] g) {
    int rows = state.layer.outputDim();
    int cols = state.layer.inputDim();
    double scale =
        Math.scalb(
            convention.blockScale(state.counters.positions),
            state.exponent(Factors.A) + state.exponent(Factors.G));
    double[] moments = new double[state.stack(MOMENTS).size()];
    for (int row = 0; row < g.length; row++) {
      int group = row / rows;
      for (int j = 0; j < cols; j++) {
        moments[row * cols + j] =
            scale * convention.clean(g[row]) * convention.clean(a[group * cols + j]);
      }
    }
    state.matrix(MOMENTS).set(moments);
    state.counters.momentWeight = 1;
  }

  private static LayerReport report(LayerState state, KfacOptions options, String status) {
    double[] diagonal = state.matrix(MOMENTS).values();
    Arrays.setAll(diagonal, i -> diagonal[i] / state.counters.momentWeight);
    return Bases.report(state, Curvature.lambda(state.layer, options), diagonal, status);
  }

  @Override
  public List<Result> precondition(List<Request> requests, KfacOptions options) {
    List<BasisPreconditionRequest> steps = new ArrayList<>();
    List<Integer> shifts = new ArrayList<>();
    for (Request request : requests) {
      LayerState state = request.state();
      double lambda = Curvature.lambda(state.layer, options);
      int shift = Bases.shift(state, 1 / state.counters.momentWeight, lambda);
      shifts.add(shift);
      steps.add(
          new BasisPreconditionRequest(
              basis(state, G_BASIS),
              basis(state, A_BASIS),
              state.stack(MOMENTS),
              Math.scalb(1 / state.counters.momentWeight, state.exponent(MOMENTS) + shift),
              Math.scalb(lambda, shift),
              request.gradient(),
              request.gradient()));
    }
    return Bases.precondition(backend, requests, steps, shifts);
  }
}
