package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.run.Work;
import org.bytedeco.javacpp.FloatPointer;

/** A dense layer's factor by one symmetric update. */
final class LapackFactor implements Work {
  private final LapackContender owner;
  private final DenseCase c;
  private final FloatPointer x;
  private final FloatPointer factor;

  LapackFactor(LapackContender owner, DenseCase c, long seed) {
    this.owner = owner;
    this.c = c;
    this.x = LapackContender.pointer(Rows.of(c, seed));
    this.factor = LapackContender.pointer(new float[c.dim() * c.dim()]);
  }

  @Override
  public void run() {
    owner.alone(() -> owner.lapack().syrk(c.dim(), c.rows(), 1f / c.rows(), x, 0, factor));
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
