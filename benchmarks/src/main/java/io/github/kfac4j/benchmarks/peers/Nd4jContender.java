package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.ConvCase;
import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Work;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.convolution.Convolution;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.inverse.InvertMatrix;

/** ND4J on its native CPU backend, fp32. */
final class Nd4jContender implements Contender {
  /** A thousand inverses take it minutes: one in 500 stands for all. */
  private static final int MANY = 500;

  private final Lapack blas = new OpenBlasLapack();
  private final int threads;

  Nd4jContender(int threads) {
    this.threads = threads;
    Nd4j.getEnvironment().setMaxThreads(threads);
    Nd4j.getEnvironment().setMaxMasterThreads(threads);
  }

  @Override
  public String name() {
    return "nd4j";
  }

  @Override
  public String version() {
    return Artifact.version("org.nd4j", "nd4j-native");
  }

  @Override
  public Work prepare(Case c, long seed) {
    if (c instanceof ConvCase conv && c.verb().equals(Case.CONV_FACTOR) && !conv.bias()) {
      return new ConvFactor(conv, seed);
    }
    if (c instanceof DenseCase dense) {
      return new Factor(dense, seed);
    }
    if (c instanceof InverseCase inverse) {
      return new Inverses(inverse, seed);
    }
    return c instanceof PreconditionCase p ? new Precondition(p, seed) : null;
  }

  @Override
  public long settleMillis() {
    return blas.settleMillis();
  }

  private static INDArray array(float[] data, long... shape) {
    return Nd4j.create(data, shape, 'c');
  }

  /** What a run makes; the memory of the run before is given back. */
  private abstract class Product extends LapackWork {
    private INDArray product;

    Product() {
      super(blas, threads);
    }

    abstract INDArray make();

    @Override
    final void once() {
      close();
      product = make();
    }

    @Override
    public float[] result(int index) {
      return product.dup('c').data().asFloat();
    }

    @Override
    public void close() {
      if (product != null) {
        product.close();
      }
    }
  }

  private static INDArray secondMoment(INDArray x, int examples) {
    return Nd4j.gemm(x, x, true, false).divi(examples);
  }

  private final class ConvFactor extends Product {
    private final ConvCase c;
    private final INDArray images;

    ConvFactor(ConvCase c, long seed) {
      this.c = c;
      this.images =
          array(
              new Inputs(seed).uniform(0, c.elements()),
              c.examples(),
              c.channels(),
              c.size(),
              c.size());
    }

    @Override
    INDArray make() {
      int k = c.kernel();
      int s = c.stride();
      int p = c.padding();
      INDArray columns = Convolution.im2col(images, k, k, s, s, p, p, false);
      INDArray rows = columns.permute(0, 4, 5, 1, 2, 3).dup('c').reshape('c', c.rows(), c.dim());
      INDArray factor = secondMoment(rows, c.examples());
      columns.close();
      rows.close();
      return factor;
    }
  }

  private final class Factor extends Product {
    private final INDArray x;

    Factor(DenseCase c, long seed) {
      x = array(DenseSamples.of(c, seed), c.rows(), c.dim());
    }

    @Override
    INDArray make() {
      return secondMoment(x, (int) x.size(0));
    }
  }

  private final class Inverses extends LapackWork {
    private final int total;
    private final List<INDArray> sources = new ArrayList<>();
    private final List<INDArray> inverses = new ArrayList<>();

    Inverses(InverseCase c, long seed) {
      super(blas, threads);
      this.total = c.sizes().size();
      int count = total >= MANY ? total / MANY : total;
      for (float[] m : Damped.matrices(c, count, seed)) {
        int n = (int) Math.round(Math.sqrt(m.length));
        sources.add(array(m, n, n));
      }
    }

    @Override
    void once() {
      close();
      for (INDArray source : sources) {
        inverses.add(InvertMatrix.invert(source, false));
      }
    }

    @Override
    public float[] result(int index) {
      return inverses.get(index).dup('c').data().asFloat();
    }

    @Override
    public double share() {
      return (double) sources.size() / total;
    }

    @Override
    public void close() {
      inverses.forEach(INDArray::close);
      inverses.clear();
    }
  }

  private final class Precondition extends Product {
    private final INDArray g;
    private final INDArray gradient;
    private final INDArray a;

    Precondition(PreconditionCase c, long seed) {
      Inputs inputs = new Inputs(seed);
      g = array(inputs.factor(0, c.out()), c.out(), c.out());
      a = array(inputs.factor(1, c.in()), c.in(), c.in());
      gradient = array(inputs.uniform(2, c.out() * c.in()), c.out(), c.in());
    }

    @Override
    INDArray make() {
      try (INDArray half = g.mmul(gradient)) {
        return half.mmul(a);
      }
    }
  }
}
