package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.ojalgo.OjAlgoUtils;
import org.ojalgo.matrix.decomposition.Cholesky;
import org.ojalgo.matrix.store.MatrixStore;
import org.ojalgo.matrix.store.R032Store;
import org.ojalgo.matrix.store.R064Store;

/** ojAlgo: products in fp32, Cholesky in fp64, which is all it has; it threads as it sees fit. */
final class OjalgoContender implements Contender {
  @Override
  public String name() {
    return "ojalgo";
  }

  @Override
  public String version() {
    return OjAlgoUtils.getVersion();
  }

  @Override
  public Work prepare(Case c, long seed) {
    if (c instanceof DenseCase dense) {
      return new Factor(dense, seed);
    }
    if (c instanceof InverseCase inverse) {
      return new Inverses(inverse, seed);
    }
    return c instanceof PreconditionCase p ? new Precondition(p, seed) : null;
  }

  /** A row-major matrix as the transpose of a column-major one. */
  private static R032Store transposed(float[] data, int cols) {
    return R032Store.wrap(data, cols);
  }

  private static float[] rowMajor(MatrixStore<Double> matrix) {
    int cols = (int) matrix.countColumns();
    float[] data = new float[(int) matrix.count()];
    for (int i = 0; i < data.length; i++) {
      data[i] = matrix.floatValue(i / cols, i % cols);
    }
    return data;
  }

  private static final class Factor implements Work {
    private final R032Store x;
    private final R032Store factor;
    private final int examples;

    Factor(DenseCase c, long seed) {
      x = transposed(DenseSamples.of(c, seed), c.dim());
      factor = R032Store.FACTORY.make(c.dim(), c.dim());
      examples = c.rows();
    }

    @Override
    public void run() {
      factor.fillByMultiplying(x, x.transpose());
      factor.modifyAll(org.ojalgo.function.constant.PrimitiveMath.MULTIPLY.second(1.0 / examples));
    }

    @Override
    public float[] result(int index) {
      return rowMajor(factor);
    }
  }

  private static final class Inverses implements Work {
    private final List<R064Store> sources = new ArrayList<>();
    private final List<MatrixStore<Double>> inverses = new ArrayList<>();

    Inverses(InverseCase c, long seed) {
      for (float[] m : Damped.matrices(c, c.sizes().size(), seed)) {
        int n = (int) Math.round(Math.sqrt(m.length));
        R064Store source = R064Store.FACTORY.make(n, n);
        for (int i = 0; i < m.length; i++) {
          source.set(i, m[i]);
        }
        sources.add(source);
        inverses.add(null);
      }
    }

    @Override
    public void run() {
      IntStream all = IntStream.range(0, sources.size());
      (sources.size() == 1 ? all : all.parallel()).forEach(this::invert);
    }

    private void invert(int k) {
      Cholesky<Double> cholesky = Cholesky.R064.make(sources.get(k));
      if (!cholesky.decompose(sources.get(k))) {
        throw new IllegalStateException("ojAlgo: matrix " + k + " is not positive definite");
      }
      inverses.set(k, cholesky.getInverse());
    }

    @Override
    public float[] result(int index) {
      return rowMajor(inverses.get(index));
    }
  }

  private static final class Precondition implements Work {
    private final R032Store g;
    private final R032Store gradient;
    private final R032Store a;
    private final R032Store product;
    private final R032Store result;

    /** All transposed; g and a are symmetric. */
    Precondition(PreconditionCase c, long seed) {
      Inputs inputs = new Inputs(seed);
      g = transposed(inputs.factor(0, c.out()), c.out());
      a = transposed(inputs.factor(1, c.in()), c.in());
      gradient = transposed(inputs.uniform(2, c.out() * c.in()), c.in());
      product = R032Store.FACTORY.make(c.in(), c.out());
      result = R032Store.FACTORY.make(c.in(), c.out());
    }

    @Override
    public void run() {
      product.fillByMultiplying(gradient, g);
      result.fillByMultiplying(a, product);
    }

    @Override
    public float[] result(int index) {
      return rowMajor(result.transpose());
    }
  }
}
