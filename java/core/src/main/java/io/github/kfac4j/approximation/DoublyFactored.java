package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.MatrixSpec;
import io.github.kfac4j.curvature.MatrixSpec.Role;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Separated;
import io.github.kfac4j.layer.Use;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.nio.DoubleBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * Blocks {@code E[psi psi'] x E[phi phi'] x E[gg']} of fully connected layers behind a feature map
 * (Ba et al. 2017, section 4.2; the code of ACKTR): the factor A, of the size of the whole feature
 * map, falls into one of positions and one of channels. Each input is replaced by the nearest
 * feature map of rank one. Damping is split between three factors; the bias has a block of its own,
 * {@code E[gg'] + lambda I}. Exact where feature maps have rank one and their two parts are
 * independent.
 */
public final class DoublyFactored implements Curvature {
  public static final StateKey PSI = new StateKey("positions");
  public static final StateKey PHI = new StateKey("channels");
  private static final StateKey PSI_INVERSE = new StateKey("positions_inverse");
  private static final StateKey PHI_INVERSE = new StateKey("channels_inverse");
  private static final StateKey G_INVERSE = KroneckerInverses.G_INVERSE;
  private static final StateKey BIAS_INVERSE = new StateKey("bias_inverse");
  private static final StateKey ONE = new StateKey("one");

  /** The factors and their inverses, in the order of damping. */
  private static final List<StateKey> FACTORS = List.of(PSI, PHI, Factors.G);

  private static final List<StateKey> INVERSES = List.of(PSI_INVERSE, PHI_INVERSE, G_INVERSE);

  private final Backend backend;

  DoublyFactored(Backend backend) {
    this.backend = backend;
  }

  @Override
  public String refusal(Layer layer, Approximation approximation) {
    return layer instanceof FlattenedDense
        ? null
        : "DOUBLY_FACTORED is for a FlattenedDense layer, whose input is known to be a feature map,"
            + " but this is a "
            + layer.getClass().getSimpleName();
  }

  @Override
  public List<MatrixSpec> specs(Layer layer) {
    FlattenedDense dense = (FlattenedDense) layer;
    int n = dense.outFeatures();
    List<MatrixSpec> specs = new ArrayList<>();
    add(specs, PSI, Role.INPUT_FACTOR, PSI_INVERSE, dense.positions());
    add(specs, PHI, Role.INPUT_FACTOR, PHI_INVERSE, dense.channels());
    add(specs, Factors.G, Role.OUTPUT_FACTOR, G_INVERSE, n);
    if (dense.bias()) {
      specs.add(new MatrixSpec(BIAS_INVERSE, Role.RESULT, 1, n, n));
      specs.add(new MatrixSpec(ONE, Role.RESULT, 1, 1, 1));
    }
    return specs;
  }

  private static void add(
      List<MatrixSpec> specs, StateKey factor, Role role, StateKey inverse, int n) {
    specs.add(new MatrixSpec(factor, role, 1, n, n));
    specs.add(new MatrixSpec(inverse, Role.RESULT, 1, n, n));
  }

  @Override
  public void initialize(LayerState state) {
    if (state.has(ONE)) {
      state.stack(ONE).set(new double[] {1});
    }
  }

  @Override
  public boolean hasSmaller() {
    return true;
  }

  @Override
  public boolean inputsApart() {
    return true;
  }

  @Override
  public List<Use> prepare(Batch batch) {
    if (batch.part() == Part.G) {
      return batch.uses();
    }
    RankOne rankOne = new RankOne(backend, (FlattenedDense) batch.state().layer);
    return batch.uses().stream().<Use>map(use -> rankOne.split((Vectors) use)).toList();
  }

  @Override
  public void observe(List<Batch> batches, KfacOptions options) {
    Averages.update(
        backend, batches, (averages, batch, use) -> addMoments(averages, batch, use, options));
    batches.stream()
        .filter(batch -> batch.part() != Part.A)
        .forEach(batch -> Factors.observed(batch, options));
  }

  /** All three are means over examples and uses. */
  private static void addMoments(Averages averages, Batch batch, int use, KfacOptions options) {
    Use one = batch.uses().get(use);
    double decay = use == 0 ? options.decay() : 1;
    double weight = (1 - options.decay()) / batch.examples() / batch.positions();
    if (one instanceof Separated split) {
      averages.add(batch, PSI, decay, weight, split.psi());
      averages.add(batch, PHI, decay, weight, split.phi());
    }
    if (batch.part() != Part.A) {
      Samples g = one instanceof Separated split ? split.g() : ((Vectors) one).g();
      double gWeight = weight * batch.gScale() * batch.gScale();
      averages.add(batch, Factors.G, decay, gWeight, g);
    }
  }

  @Override
  public List<LayerReport> refresh(List<LayerState> states, KfacOptions options) {
    List<MatrixStack> stacks =
        states.stream().flatMap(s -> FACTORS.stream().map(s::stack)).toList();
    List<double[]> traces = backend.traces(stacks);
    List<FactorInverses.Task> tasks = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      LayerState state = states.get(i);
      double lambda = Curvature.lambda(state.layer, options) / state.counters.positions;
      double debias = Factors.debias(state);
      double[] means = new double[FACTORS.size()];
      for (int f = 0; f < means.length; f++) {
        int at = i * means.length + f;
        double trace = Math.scalb(traces.get(at)[0], state.exponent(FACTORS.get(f)));
        means[f] = debias * trace / stacks.get(at).rows();
      }
      double[] damping = FactoredDamping.split(lambda, means);
      FactorInverses.Task task = new FactorInverses.Task(state, new double[] {Double.NaN});
      for (int f = 0; f < means.length; f++) {
        StateKey factor = FACTORS.get(f);
        double[] mean = {means[f]};
        double[] added = {damping[f]};
        task.put(factor.name(), factor, INVERSES.get(f), debias, mean, added);
      }
      if (state.layer.bias()) {
        double[] mean = {means[means.length - 1]};
        task.put("bias", Factors.G, BIAS_INVERSE, debias, mean, new double[] {lambda});
      }
      tasks.add(task);
    }
    return FactorInverses.renew(backend, options.inversePolicy(), tasks);
  }

  @Override
  public List<Result> precondition(List<Request> requests, KfacOptions options) {
    List<PreconditionRequest> steps = new ArrayList<>();
    List<double[]> turned = new ArrayList<>();
    for (Request request : requests) {
      turned.add(addSteps(steps, request));
    }
    List<double[]> before = requests.stream().map(DoublyFactored::elements).toList();
    backend.precondition(steps);
    List<Result> results = new ArrayList<>();
    for (int i = 0; i < requests.size(); i++) {
      Request request = requests.get(i);
      ((FlattenedDense) request.state().layer)
          .storeByPosition(turned.get(i), host(request.gradient().weight()));
      results.add(result(request, before.get(i), elements(request)));
    }
    return results;
  }

  private static Result result(Request request, double[] dw, double[] u) {
    LayerState state = request.state();
    int weight =
        state.exponent(PSI_INVERSE) + state.exponent(PHI_INVERSE) + state.exponent(G_INVERSE);
    int bias = state.layer.bias() ? state.exponent(BIAS_INVERSE) : weight;
    int split = ((HostTensor) request.gradient().weight()).size();
    double inner =
        weight == bias
            ? Math.scalb(dot(dw, u, 0, u.length), weight)
            : Math.scalb(dot(dw, u, 0, split), weight)
                + Math.scalb(dot(dw, u, split, u.length), bias);
    return request.result(inner, weight, bias);
  }

  /** Weight and bias. */
  private static double[] elements(Request request) {
    double[] weight = host(request.gradient().weight()).toArray();
    Tensor bias = request.gradient().bias();
    return bias == null
        ? weight
        : DoubleStream.concat(Arrays.stream(weight), Arrays.stream(host(bias).toArray())).toArray();
  }

  /**
   * Applies the inverse of the positions, few and small, and leaves one step with the two other
   * inverses for each position.
   */
  private static double[] addSteps(List<PreconditionRequest> steps, Request request) {
    LayerState state = request.state();
    FlattenedDense layer = (FlattenedDense) state.layer;
    MatrixStack g = state.stack(G_INVERSE);
    double[] turned =
        alongPositions(
            state.stack(PSI_INVERSE).toArray(),
            layer.byPosition(host(request.gradient().weight())),
            layer.positions());
    double scale = 1.0 / state.counters.positions;
    int size = layer.outFeatures() * layer.channels();
    for (int p = 0; p < layer.positions(); p++) {
      DoubleBuffer slice = DoubleBuffer.wrap(turned, p * size, size);
      Gradient part =
          new Gradient(HostTensor.of(slice, layer.outFeatures(), layer.channels()), null);
      steps.add(new PreconditionRequest(g, state.stack(PHI_INVERSE), scale, part, part));
    }
    if (layer.bias()) {
      Gradient bias = new Gradient(request.gradient().bias(), null);
      steps.add(
          new PreconditionRequest(state.stack(BIAS_INVERSE), state.stack(ONE), scale, bias, bias));
    }
    return turned;
  }

  private static double[] alongPositions(double[] inverse, double[] x, int positions) {
    int size = x.length / positions;
    double[] y = new double[x.length];
    for (int p = 0; p < positions; p++) {
      for (int q = 0; q < positions; q++) {
        double f = inverse[p * positions + q];
        for (int i = 0; i < size; i++) {
          y[p * size + i] += f * x[q * size + i];
        }
      }
    }
    return y;
  }

  private static double dot(double[] x, double[] y, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  private static HostTensor host(Tensor tensor) {
    if (tensor instanceof HostTensor host) {
      return host;
    }
    throw new IllegalArgumentException(
        "a doubly factored layer needs gradients in host memory, but one is a "
            + tensor.getClass());
  }
}
