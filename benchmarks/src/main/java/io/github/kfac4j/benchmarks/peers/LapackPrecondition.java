package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;
import io.github.kfac4j.benchmarks.run.Work;
import org.bytedeco.javacpp.FloatPointer;

/** Two matrix products. */
final class LapackPrecondition implements Work {
  private final LapackContender owner;
  private final PreconditionCase c;
  private final FloatPointer g;
  private final FloatPointer gradient;
  private final FloatPointer a;
  private final FloatPointer product;
  private final FloatPointer result;

  LapackPrecondition(LapackContender owner, PreconditionCase c, long seed) {
    this.owner = owner;
    this.c = c;
    Inputs inputs = new Inputs(seed);
    this.g = LapackContender.pointer(inputs.factor(0, c.out()));
    this.a = LapackContender.pointer(inputs.factor(1, c.in()));
    this.gradient = LapackContender.pointer(inputs.uniform(2, c.out() * c.in()));
    this.product = new FloatPointer((long) c.out() * c.in());
    this.result = new FloatPointer((long) c.out() * c.in());
  }

  @Override
  public void run() {
    owner.alone(
        () -> {
          owner.lapack().gemm(c.out(), c.in(), c.out(), g, gradient, product);
          owner.lapack().gemm(c.out(), c.in(), c.in(), product, a, result);
        });
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
