package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.MatrixSpec;
import io.github.kfac4j.curvature.MatrixSpec.Role;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.KfacOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Blocks {@code A x G} with factored damping: one damped inverse for each factor. */
public final class KroneckerInverses implements Curvature {
  static final StateKey A_INVERSE = new StateKey("A_inverse");
  static final StateKey G_INVERSE = new StateKey("G_inverse");

  private final Backend backend;
  private final Convention convention;

  KroneckerInverses(Backend backend, Convention convention) {
    this.backend = backend;
    this.convention = convention;
  }

  @Override
  public List<MatrixSpec> specs(Layer layer) {
    return List.of(
        Factors.input(Factors.A, Role.INPUT_FACTOR, layer),
        Factors.output(Factors.G, Role.OUTPUT_FACTOR, layer),
        Factors.input(A_INVERSE, Role.RESULT, layer),
        Factors.output(G_INVERSE, Role.RESULT, layer));
  }

  @Override
  public void initialize(LayerState state) {
    Factors.initialize(state, convention);
  }

  @Override
  public boolean hasSmaller() {
    return convention != Convention.KFAC_PYTORCH;
  }

  @Override
  public boolean inputsApart() {
    return true;
  }

  @Override
  public void observe(List<Batch> batches, KfacOptions options) {
    Factors.observe(backend, batches, options);
  }

  @Override
  public List<LayerReport> refresh(List<LayerState> states, KfacOptions options) {
    List<double[]> means = means(states);
    List<FactoredDamping[]> dampings = dampings(states, means, options);
    List<FactorInverses.Task> tasks = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      LayerState state = states.get(i);
      FactoredDamping[] damping = dampings.get(i);
      double scale = Factors.debias(state) * damping[0].scale();
      FactorInverses.Task task =
          new FactorInverses.Task(
              state, Arrays.stream(damping).mapToDouble(FactoredDamping::pi).toArray());
      double[] onA = Arrays.stream(damping).mapToDouble(FactoredDamping::a).toArray();
      double[] onG = Arrays.stream(damping).mapToDouble(FactoredDamping::g).toArray();
      task.put(Factors.A.name(), Factors.A, A_INVERSE, scale, means.get(2 * i), onA);
      task.put(Factors.G.name(), Factors.G, G_INVERSE, scale, means.get(2 * i + 1), onG);
      tasks.add(task);
    }
    return FactorInverses.renew(backend, options.inversePolicy(), tasks);
  }

  /** The means of the eigenvalues of A and G, layer by layer, a value for each group. */
  private List<double[]> means(List<LayerState> states) {
    List<MatrixStack> factors = new ArrayList<>();
    for (LayerState state : states) {
      factors.add(state.stack(Factors.A));
      factors.add(state.stack(Factors.G));
    }
    List<double[]> means = backend.traces(factors);
    for (int i = 0; i < means.size(); i++) {
      LayerState state = states.get(i / 2);
      int exponent = state.exponent(i % 2 == 0 ? Factors.A : Factors.G);
      double debias = Factors.debias(state);
      double[] one = means.get(i);
      int n = factors.get(i).rows();
      Arrays.setAll(one, k -> debias * Math.scalb(one[k], exponent) / n);
    }
    return means;
  }

  private List<FactoredDamping[]> dampings(
      List<LayerState> states, List<double[]> means, KfacOptions options) {
    List<FactoredDamping[]> dampings = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      LayerState state = states.get(i);
      int dimA = state.layer.inputDim();
      int dimG = state.layer.outputDim();
      double lambda =
          Curvature.lambda(state.layer, options) / convention.blockScale(state.counters.positions);
      double[] meanA = means.get(2 * i);
      double[] meanG = means.get(2 * i + 1);
      FactoredDamping[] perGroup = new FactoredDamping[meanA.length];
      Arrays.setAll(
          perGroup,
          k ->
              state.layer.constantInput()
                  ? new FactoredDamping(Double.NaN, 0, lambda, 1)
                  : FactoredDamping.split(convention, lambda, meanA[k], dimA, meanG[k], dimG));
      dampings.add(perGroup);
    }
    return dampings;
  }

  @Override
  public List<Result> precondition(List<Request> requests, KfacOptions options) {
    List<PreconditionRequest> steps = new ArrayList<>();
    for (Request request : requests) {
      LayerState state = request.state();
      steps.add(
          new PreconditionRequest(
              state.stack(G_INVERSE),
              state.stack(A_INVERSE),
              1 / convention.blockScale(state.counters.positions),
              request.gradient(),
              request.gradient()));
    }
    double[] inner = backend.precondition(steps);
    List<Result> results = new ArrayList<>();
    for (Request request : requests) {
      LayerState state = request.state();
      int shift = state.exponent(A_INVERSE) + state.exponent(G_INVERSE);
      results.add(request.result(inner[results.size()], shift));
    }
    return results;
  }
}
