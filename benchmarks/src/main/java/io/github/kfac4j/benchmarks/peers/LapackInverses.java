package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.InverseCase;
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
final class LapackInverses extends LapackWork {
  private final List<Integer> sizes;
  private final List<FloatPointer> sources = new ArrayList<>();
  private final List<FloatPointer> inverses = new ArrayList<>();
  private final ForkJoinPool pool;

  LapackInverses(Lapack lapack, int threads, InverseCase c, long seed) {
    super(lapack, c.sizes().size() == 1 ? threads : 1);
    this.sizes = c.sizes();
    for (float[] matrix : Damped.matrices(c, sizes.size(), seed)) {
      sources.add(LapackContender.pointer(matrix));
      inverses.add(new FloatPointer(matrix.length));
    }
    this.pool = new ForkJoinPool(threads);
  }

  @Override
  void once() {
    if (sizes.size() == 1) {
      invert(0);
    } else {
      pool.submit(() -> IntStream.range(0, sizes.size()).parallel().forEach(this::invert)).join();
    }
  }

  private void invert(int k) {
    int n = sizes.get(k);
    FloatPointer inverse = inverses.get(k);
    Pointer.memcpy(inverse, sources.get(k), 4L * n * n);
    int info = lapack().invert(n, inverse);
    if (info != 0) {
      throw new IllegalStateException(lapack().name() + ": matrix " + k + ", info " + info);
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
