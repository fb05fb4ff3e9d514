package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.Samples;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Separated;
import io.github.kfac4j.layer.Use;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.options.KfacOptions;
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
  public static final String PSI = "positions";
  public static final String PHI = "channels";
  static final String BIAS = "bias";
  private static final String ONE = "one";
  private static final String INVERSE = "_inverse";

  private final Backend backend;

  DoublyFactored(Backend backend) {
    this.backend = backend;
  }

  @Override
  public List<Room> rooms(Layer layer) {
    FlattenedDense dense = (FlattenedDense) layer;
    List<Room> rooms = new ArrayList<>();
    add(rooms, PSI, dense.positions());
    add(rooms, PHI, dense.channels());
    int n = dense.outFeatures();
    add(rooms, Factors.G, n);
    if (dense.bias()) {
      rooms.add(new Room(BIAS + INVERSE, 1, n, n));
      rooms.add(new Room(ONE, 1, 1, 1));
    }
    return rooms;
  }

  private static void add(List<Room> rooms, String factor, int n) {
    rooms.add(new Room(factor, 1, n, n));
    rooms.add(new Room(factor + INVERSE, 1, n, n));
  }

  @Override
  public void initialize(LayerState state) {
    if (state.matrices.containsKey(ONE)) {
      state.matrix(ONE).set(new double[] {1});
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
    int rounds = batches.stream().mapToInt(batch -> batch.uses().size()).max().orElse(0);
    for (int use = 0; use < rounds; use++) {
      Averages averages = new Averages(backend);
      for (Batch batch : batches) {
        if (use < batch.uses().size()) {
          addMoments(averages, batch, use, options);
        }
      }
      averages.run();
    }
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
    List<String> factors = List.of(PSI, PHI, Factors.G);
    List<MatrixStack> stacks =
        states.stream().flatMap(s -> factors.stream().map(s::matrix)).toList();
    List<double[]> traces = backend.traces(stacks);
    List<FactorInverses.Task> tasks = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      LayerState state = states.get(i);
      double lambda = Curvature.lambda(state.layer, options) / state.positions;
      double debias = Factors.debias(state);
      double[] means = new double[factors.size()];
      for (int f = 0; f < means.length; f++) {
        int at = i * means.length + f;
        double trace = Math.scalb(traces.get(at)[0], state.exponent(factors.get(f)));
        means[f] = debias * trace / stacks.get(at).rows();
      }
      double[] damping = FactoredDamping.split(lambda, means);
      FactorInverses.Task task = new FactorInverses.Task(state, new double[] {Double.NaN});
      for (int f = 0; f < means.length; f++) {
        put(task, factors.get(f), factors.get(f), debias, means[f], damping[f]);
      }
      if (state.layer.bias()) {
        put(task, BIAS, Factors.G, debias, means[means.length - 1], lambda);
      }
      tasks.add(task);
    }
    return FactorInverses.renew(backend, options.inversePolicy(), tasks);
  }

  private static void put(
      FactorInverses.Task task,
      String name,
      String factor,
      double debias,
      double mean,
      double damping) {
    double[] means = {mean};
    task.put(name, factor, name + INVERSE, debias, means, new double[] {damping});
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
        state.exponent(PSI + INVERSE)
            + state.exponent(PHI + INVERSE)
            + state.exponent(Factors.G + INVERSE);
    int bias = state.layer.bias() ? state.exponent(BIAS + INVERSE) : weight;
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
    MatrixStack g = state.matrix(Factors.G + INVERSE);
    double[] turned =
        alongPositions(
            state.matrix(PSI + INVERSE).toArray(),
            layer.byPosition(host(request.gradient().weight())),
            layer.positions());
    double scale = 1.0 / state.positions;
    int size = layer.outFeatures() * layer.channels();
    for (int p = 0; p < layer.positions(); p++) {
      DoubleBuffer slice = DoubleBuffer.wrap(turned, p * size, size);
      Gradient part =
          new Gradient(HostTensor.of(slice, layer.outFeatures(), layer.channels()), null);
      steps.add(new PreconditionRequest(g, state.matrix(PHI + INVERSE), scale, part, part));
    }
    if (layer.bias()) {
      Gradient bias = new Gradient(request.gradient().bias(), null);
      steps.add(
          new PreconditionRequest(
              state.matrix(BIAS + INVERSE), state.matrix(ONE), scale, bias, bias));
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
