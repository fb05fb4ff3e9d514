package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;
import org.bytedeco.javacpp.FloatPointer;

/** Two matrix products. */
final class LapackPrecondition extends LapackWork {
  private final PreconditionCase c;
  private final FloatPointer g;
  private final FloatPointer gradient;
  private final FloatPointer a;
  private final FloatPointer product;
  private final FloatPointer result;

  LapackPrecondition(Lapack lapack, int threads, PreconditionCase c, long seed) {
    super(lapack, threads);
    this.c = c;
    Inputs inputs = new Inputs(seed);
    this.g = LapackContender.pointer(inputs.factor(0, c.out()));
    this.a = LapackContender.pointer(inputs.factor(1, c.in()));
    this.gradient = LapackContender.pointer(inputs.uniform(2, c.out() * c.in()));
    this.product = new FloatPointer((long) c.out() * c.in());
    this.result = new FloatPointer((long) c.out() * c.in());
  }

  @Override
  void once() {
    lapack().gemm(c.out(), c.in(), c.out(), g, gradient, product);
    lapack().gemm(c.out(), c.in(), c.in(), product, a, result);
  }

  @Override
  public float[] result(int index) {
    return LapackContender.array(result, c.out() * c.in());
  }

  @Override
  public void close() {
    g.close();
    a.close();
    gradient.close();
    product.close();
    result.close();
  }
}
