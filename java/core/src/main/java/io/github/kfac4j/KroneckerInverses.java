package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Inversion;
import io.github.kfac4j.backend.KroneckerStep;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.layer.Layer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Blocks {@code A x G} with factored damping: one damped inverse for each factor. */
final class KroneckerInverses implements Curvature {
  static final String A_INVERSE = "A_inverse";
  static final String G_INVERSE = "G_inverse";

  private final Backend backend;
  private final Convention convention;

  KroneckerInverses(Backend backend, Convention convention) {
    this.backend = backend;
    this.convention = convention;
  }

  @Override
  public void allocate(LayerState state) {
    Factors.allocate(backend, state, convention);
    Layer layer = state.layer;
    state.matrices.put(
        A_INVERSE, backend.allocate(layer.groups(), layer.inputDim(), layer.inputDim()));
    state.matrices.put(
        G_INVERSE, backend.allocate(layer.groups(), layer.outputDim(), layer.outputDim()));
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
    List<FactoredDamping[]> dampings = dampings(states, options);
    List<RobustInversion.Task> tasks = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      LayerState state = states.get(i);
      FactoredDamping[] damping = dampings.get(i);
      double scale = Factors.debias(state) * damping[0].scale();
      RobustInversion.Task task =
          new RobustInversion.Task(
              state, Arrays.stream(damping).mapToDouble(FactoredDamping::pi).toArray());
      double[] onA = Arrays.stream(damping).mapToDouble(FactoredDamping::a).toArray();
      double[] onG = Arrays.stream(damping).mapToDouble(FactoredDamping::g).toArray();
      task.inversions()
          .put(
              Factors.A,
              new Inversion(state.matrix(Factors.A), scale, onA, state.matrix(A_INVERSE)));
      task.inversions()
          .put(
              Factors.G,
              new Inversion(state.matrix(Factors.G), scale, onG, state.matrix(G_INVERSE)));
      tasks.add(task);
    }
    return new RobustInversion(backend, options.inversePolicy()).invert(tasks);
  }

  private List<FactoredDamping[]> dampings(List<LayerState> states, KfacOptions options) {
    List<MatrixStack> factors = new ArrayList<>();
    for (LayerState state : states) {
      factors.add(state.matrix(Factors.A));
      factors.add(state.matrix(Factors.G));
    }
    List<double[]> traces = backend.traces(factors);
    List<FactoredDamping[]> dampings = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      LayerState state = states.get(i);
      int dimA = state.layer.inputDim();
      int dimG = state.layer.outputDim();
      double lambda =
          Curvature.lambda(state.layer, options) / convention.blockScale(state.positions);
      double debias = Factors.debias(state);
      double[] traceA = traces.get(2 * i);
      double[] traceG = traces.get(2 * i + 1);
      FactoredDamping[] perGroup = new FactoredDamping[traceA.length];
      Arrays.setAll(
          perGroup,
          k ->
              state.layer.constantInput()
                  ? new FactoredDamping(Double.NaN, 0, lambda, 1)
                  : FactoredDamping.split(
                      convention,
                      lambda,
                      debias * traceA[k] / dimA,
                      dimA,
                      debias * traceG[k] / dimG,
                      dimG));
      dampings.add(perGroup);
    }
    return dampings;
  }

  @Override
  public double precondition(List<Request> requests, KfacOptions options) {
    List<KroneckerStep> steps = new ArrayList<>();
    for (Request request : requests) {
      LayerState state = request.state();
      steps.add(
          new KroneckerStep(
              state.matrix(G_INVERSE),
              state.matrix(A_INVERSE),
              1 / convention.blockScale(state.positions),
              request.gradient(),
              request.gradient(),
              request.outerProduct(),
              options.inversePolicy().method() == InversePolicy.Method.EIGEN));
    }
    return Arrays.stream(backend.precondition(steps)).sum();
  }
}
