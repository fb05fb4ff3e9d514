package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.run.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Cholesky factor and inverse, then the other triangle. One matrix has all threads of the library;
 * many are shared among as many threads of Java, each with a serial library.
 */
final class LapackInverses implements Work {
  private final LapackContender owner;
  private final List<Integer> sizes;
  private final List<FloatPointer> sources = new ArrayList<>();
  private final List<FloatPointer> inverses = new ArrayList<>();
  private final ForkJoinPool pool;

  LapackInverses(LapackContender owner, InverseCase c, long seed) {
    this.owner = owner;
    this.sizes = c.sizes();
    for (float[] matrix : Damped.matrices(c, sizes.size(), seed)) {
      sources.add(LapackContender.pointer(matrix));
      inverses.add(new FloatPointer(matrix.length));
    }
    this.pool = new ForkJoinPool(owner.threads());
  }

  @Override
  public void run() {
    if (sizes.size() == 1) {
      owner.alone(() -> invert(0));
    } else {
      owner.lapack().setThreads(1);
      pool.submit(() -> IntStream.range(0, sizes.size()).parallel().forEach(this::invert)).join();
    }
  }

  private void invert(int k) {
    int n = sizes.get(k);
    FloatPointer inverse = inverses.get(k);
    Pointer.memcpy(inverse, sources.get(k), 4L * n * n);
    int info = owner.lapack().invert(n, inverse);
    if (info != 0) {
      throw new IllegalStateException(owner.name() + ": matrix " + k + ", info " + info);
    }
    LapackContender.mirror(inverse, n);
  }

  @Override
  public float[] result(int index) {
    return LapackContender.array(inverses.get(index), sizes.get(index) * sizes.get(index));
  }

  @Override
  public void close() {
    pool.shutdown();
    sources.forEach(FloatPointer::close);
    inverses.forEach(FloatPointer::close);
  }
}
