package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.ConvCase;
import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Work;
import java.util.List;
import java.util.stream.IntStream;
import org.ejml.EjmlVersion;
import org.ejml.concurrency.EjmlConcurrency;
import org.ejml.data.FMatrixRMaj;
import org.ejml.dense.row.CommonOps_FDRM;
import org.ejml.dense.row.CommonOps_MT_FDRM;
import org.ejml.dense.row.factory.LinearSolverFactory_FDRM;
import org.ejml.dense.row.factory.LinearSolverFactory_MT_FDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/** EJML, fp32, its threaded operations; many matrices are shared among the threads. */
final class EjmlContender implements Contender {
  /** A convolution's factor takes it seconds: a 32nd of the examples stands for all. */
  private static final int CONV_FRACTION = 32;

  EjmlContender(int threads) {
    EjmlConcurrency.setMaxThreads(threads);
  }

  @Override
  public String name() {
    return "ejml";
  }

  @Override
  public String version() {
    return EjmlVersion.VERSION;
  }

  @Override
  public Work prepare(Case c, long seed) {
    if (c instanceof ConvCase conv && c.verb().equals(Case.CONV_FACTOR)) {
      return new ConvFactor(conv, seed);
    }
    if (c instanceof DenseCase dense) {
      return new Factor(
          new FMatrixRMaj(dense.rows(), dense.dim(), true, DenseSamples.of(dense, seed)),
          dense.rows());
    }
    if (c instanceof InverseCase inverse) {
      return new Inverses(inverse, seed);
    }
    return c instanceof PreconditionCase p ? new Precondition(p, seed) : null;
  }

  private static class Factor implements Work {
    final FMatrixRMaj x;
    final FMatrixRMaj factor;
    final int examples;

    Factor(FMatrixRMaj x, int examples) {
      this.x = x;
      this.factor = new FMatrixRMaj(x.numCols, x.numCols);
      this.examples = examples;
    }

    @Override
    public void run() {
      CommonOps_MT_FDRM.multInner(x, factor);
      CommonOps_FDRM.scale(1f / examples, factor);
    }

    @Override
    public float[] result(int index) {
      return factor.data;
    }
  }

  private static final class ConvFactor extends Factor {
    private final ConvCase c;
    private final float[] images;

    ConvFactor(ConvCase c, long seed) {
      super(new FMatrixRMaj(examples(c) * c.outputSize() * c.outputSize(), c.dim()), examples(c));
      this.c = c;
      this.images = new Inputs(seed).uniform(0, c.elements());
    }

    private static int examples(ConvCase c) {
      return c.examples() >= CONV_FRACTION ? c.examples() / CONV_FRACTION : c.examples();
    }

    @Override
    public void run() {
      Im2col.fill(c, images, examples, x.data);
      super.run();
    }

    @Override
    public double share() {
      return (double) examples / c.examples();
    }

    @Override
    public boolean checkable() {
      return share() == 1;
    }
  }

  private static final class Inverses implements Work {
    private final List<FMatrixRMaj> sources;
    private final List<FMatrixRMaj> inverses;

    Inverses(InverseCase c, long seed) {
      this.sources =
          Damped.matrices(c, c.sizes().size(), seed).stream()
              .map(m -> new FMatrixRMaj(side(m), side(m), true, m))
              .toList();
      this.inverses = sources.stream().map(s -> new FMatrixRMaj(s.numRows, s.numCols)).toList();
    }

    private static int side(float[] matrix) {
      return (int) Math.round(Math.sqrt(matrix.length));
    }

    @Override
    public void run() {
      if (sources.size() == 1) {
        invert(LinearSolverFactory_MT_FDRM.symmPosDef(sources.get(0).numRows), 0);
      } else {
        IntStream.range(0, sources.size())
            .parallel()
            .forEach(k -> invert(LinearSolverFactory_FDRM.symmPosDef(sources.get(k).numRows), k));
      }
    }

    private void invert(LinearSolverDense<FMatrixRMaj> solver, int k) {
      FMatrixRMaj source = solver.modifiesA() ? sources.get(k).copy() : sources.get(k);
      if (!solver.setA(source)) {
        throw new IllegalStateException("EJML: matrix " + k + " is not positive definite");
      }
      solver.invert(inverses.get(k));
    }

    @Override
    public float[] result(int index) {
      return inverses.get(index).data;
    }
  }

  private static final class Precondition implements Work {
    private final FMatrixRMaj g;
    private final FMatrixRMaj gradient;
    private final FMatrixRMaj a;
    private final FMatrixRMaj product;
    private final FMatrixRMaj result;

    Precondition(PreconditionCase c, long seed) {
      Inputs inputs = new Inputs(seed);
      g = new FMatrixRMaj(c.out(), c.out(), true, inputs.factor(0, c.out()));
      a = new FMatrixRMaj(c.in(), c.in(), true, inputs.factor(1, c.in()));
      gradient = new FMatrixRMaj(c.out(), c.in(), true, inputs.uniform(2, c.out() * c.in()));
      product = new FMatrixRMaj(c.out(), c.in());
      result = new FMatrixRMaj(c.out(), c.in());
    }

    @Override
    public void run() {
      CommonOps_MT_FDRM.mult(g, gradient, product);
      CommonOps_MT_FDRM.mult(product, a, result);
    }

    @Override
    public float[] result(int index) {
      return result.data;
    }
  }
}
