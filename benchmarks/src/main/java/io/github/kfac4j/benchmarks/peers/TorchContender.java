package io.github.kfac4j.benchmarks.peers;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.ConvCase;
import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.cases.NetworkCase;
import io.github.kfac4j.benchmarks.cases.NetworkInputs;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Work;
import java.util.ArrayList;
import java.util.List;

/** libtorch through DJL. Inverses by {@code inv}, or by its Cholesky functions. */
final class TorchContender implements Contender {
  private final NDManager manager;
  private final boolean cholesky;

  TorchContender(int threads, boolean cholesky) {
    System.setProperty("OPT_OUT_TRACKING", "true"); // DJL would send usage data
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(threads));
    System.setProperty("ai.djl.pytorch.graph_optimizer", "false"); // it drops repeated work
    this.manager = NDManager.newBaseManager("PyTorch");
    this.cholesky = cholesky;
  }

  @Override
  public String name() {
    return cholesky ? "libtorch cholesky_inverse" : "libtorch";
  }

  @Override
  public String version() {
    return Engine.getEngine("PyTorch").getVersion() + " through DJL";
  }

  @Override
  public Work prepare(Case c, long seed) {
    if (c instanceof InverseCase inverse) {
      return new Inverses(inverse, seed);
    }
    if (cholesky) {
      return null;
    }
    if (c instanceof ConvCase conv && c.verb().equals(Case.CONV_FACTOR) && !conv.bias()) {
      return new ConvFactor(conv, seed);
    }
    if (c instanceof DenseCase dense) {
      return new Factor(dense, seed);
    }
    if (c instanceof PreconditionCase p) {
      return new Precondition(p, seed);
    }
    return c instanceof NetworkCase network && c.verb().equals(Case.PRECONDITION_NETWORK)
        ? new NetworkPrecondition(network, seed)
        : null;
  }

  @Override
  public void close() {
    manager.close();
  }

  /** Inputs in a manager of their own, results in one that is emptied with every run. */
  private abstract class TorchWork implements Work {
    final NDManager inputs = manager.newSubManager();
    private NDManager outputs = inputs.newSubManager();
    private List<NDArray> results = List.of();

    abstract List<NDArray> make();

    final NDArray array(float[] data, long... shape) {
      return inputs.create(data, new Shape(shape));
    }

    @Override
    public final void run() {
      outputs.close();
      outputs = inputs.newSubManager();
      results = make();
      results.forEach(r -> r.attach(outputs));
    }

    final NDArray product(NDArray a, NDArray b, NDArray c) {
      try (NDArray half = a.matMul(b)) {
        return half.matMul(c);
      }
    }

    @Override
    public float[] result(int index) {
      return results.get(index).toFloatArray();
    }

    @Override
    public void close() {
      inputs.close();
    }
  }

  private final class ConvFactor extends TorchWork {
    private final TorchScript function = TorchScript.load("conv_factor", manager);
    private final NDArray images;
    private final NDArray[] geometry;

    ConvFactor(ConvCase c, long seed) {
      images =
          array(
              new Inputs(seed).uniform(0, c.elements()),
              c.examples(),
              c.channels(),
              c.size(),
              c.size());
      geometry =
          new NDArray[] {
            inputs.create(c.kernel()), inputs.create(c.stride()), inputs.create(c.padding())
          };
    }

    @Override
    List<NDArray> make() {
      return List.of(function.call(images, geometry[0], geometry[1], geometry[2]));
    }

    @Override
    public void close() {
      super.close();
      function.close();
    }
  }

  private final class Factor extends TorchWork {
    private final NDArray x;

    Factor(DenseCase c, long seed) {
      x = array(DenseSamples.of(c, seed), c.rows(), c.dim());
    }

    @Override
    List<NDArray> make() {
      try (NDArray transposed = x.transpose()) {
        return List.of(transposed.matMul(x).divi(x.size(0)));
      }
    }
  }

  private final class Inverses extends TorchWork {
    private final TorchScript function =
        cholesky ? TorchScript.load("cholesky_inverse", manager) : null;
    private final List<NDArray> sources = new ArrayList<>();
    private final boolean batched;

    /** Equal matrices as one batch. */
    Inverses(InverseCase c, long seed) {
      List<float[]> matrices = Damped.matrices(c, c.sizes().size(), seed);
      batched = c.network() == null && c.count() > 1;
      if (batched) {
        float[] all = new float[c.count() * c.n() * c.n()];
        for (int k = 0; k < c.count(); k++) {
          System.arraycopy(matrices.get(k), 0, all, k * c.n() * c.n(), c.n() * c.n());
        }
        sources.add(array(all, c.count(), c.n(), c.n()));
      } else {
        for (int k = 0; k < matrices.size(); k++) {
          sources.add(array(matrices.get(k), c.sizes().get(k), c.sizes().get(k)));
        }
      }
    }

    @Override
    List<NDArray> make() {
      return sources.stream().map(s -> cholesky ? function.call(s) : s.inverse()).toList();
    }

    @Override
    public float[] result(int index) {
      if (!batched) {
        return super.result(index);
      }
      int n = (int) sources.get(0).size(1);
      float[] one = new float[n * n];
      System.arraycopy(super.result(0), index * n * n, one, 0, n * n);
      return one;
    }

    @Override
    public void close() {
      super.close();
      if (function != null) {
        function.close();
      }
    }
  }

  private final class Precondition extends TorchWork {
    private final NDArray g;
    private final NDArray gradient;
    private final NDArray a;

    Precondition(PreconditionCase c, long seed) {
      Inputs in = new Inputs(seed);
      g = array(in.factor(0, c.out()), c.out(), c.out());
      a = array(in.factor(1, c.in()), c.in(), c.in());
      gradient = array(in.uniform(2, c.out() * c.in()), c.out(), c.in());
    }

    @Override
    List<NDArray> make() {
      return List.of(product(g, gradient, a));
    }
  }

  private final class NetworkPrecondition extends TorchWork {
    private final List<NDArray[]> layers = new ArrayList<>();

    NetworkPrecondition(NetworkCase c, long seed) {
      NetworkInputs data = new NetworkInputs(c, new Inputs(seed));
      for (int k = 0; k < c.layers().size(); k++) {
        int out = c.layers().get(k).toLayer().outputDim();
        int in = c.layers().get(k).toLayer().inputDim();
        layers.add(
            new NDArray[] {
              array(data.gInverse(k), out, out),
              array(data.gradient(k), out, in),
              array(data.aInverse(k), in, in)
            });
      }
    }

    @Override
    List<NDArray> make() {
      return layers.stream().map(l -> product(l[0], l[1], l[2])).toList();
    }
  }
}
