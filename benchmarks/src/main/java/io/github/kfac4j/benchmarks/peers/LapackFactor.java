package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.DenseCase;
import org.bytedeco.javacpp.FloatPointer;

/** A dense layer's factor by one symmetric update. */
final class LapackFactor extends LapackWork {
  private final DenseCase c;
  private final FloatPointer x;
  private final FloatPointer factor;

  LapackFactor(Lapack lapack, int threads, DenseCase c, long seed) {
    super(lapack, threads);
    this.c = c;
    this.x = LapackContender.pointer(DenseSamples.of(c, seed));
    this.factor = LapackContender.pointer(new float[c.dim() * c.dim()]);
  }

  @Override
  void once() {
    lapack().syrk(c.dim(), c.rows(), 1f / c.rows(), x, 0, factor);
    LapackContender.mirror(factor, c.dim());
  }

  @Override
  public float[] result(int index) {
    return LapackContender.array(factor, c.dim() * c.dim());
  }

  @Override
  public void close() {
    x.close();
    factor.close();
  }
}
