package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Work;
import org.bytedeco.javacpp.FloatPointer;

/** The plain way with a BLAS and LAPACK: ssyrk, spotrf and spotri, sgemm. */
final class LapackContender implements Contender {
  private final Lapack lapack;
  private final int threads;

  LapackContender(Lapack lapack, int threads) {
    this.lapack = lapack;
    this.threads = threads;
    lapack.setThreads(1); // fails here if the library cannot be loaded
  }

  @Override
  public String name() {
    return lapack.name();
  }

  @Override
  public String version() {
    return lapack.version();
  }

  @Override
  public Work prepare(Case c, long seed) {
    if (c instanceof DenseCase dense) {
      return new LapackFactor(lapack, threads, dense, seed);
    }
    if (c instanceof InverseCase inverse) {
      return new LapackInverses(lapack, threads, inverse, seed);
    }
    return c instanceof PreconditionCase p
        ? new LapackPrecondition(lapack, threads, p, seed)
        : null;
  }

  @Override
  public long settleMillis() {
    return lapack.settleMillis();
  }

  static FloatPointer pointer(float[] data) {
    return new FloatPointer(data.length).put(data, 0, data.length);
  }

  static float[] array(FloatPointer pointer, int length) {
    float[] data = new float[length];
    pointer.get(data, 0, length);
    return data;
  }

  /** Copies the lower triangle to the upper one, in tiles that stay in the cache. */
  static void mirror(FloatPointer matrix, int n) {
    var m = matrix.capacity((long) n * n).asBuffer();
    int tile = 32;
    for (int top = 0; top < n; top += tile) {
      for (int left = 0; left <= top; left += tile) {
        for (int i = top; i < Math.min(n, top + tile); i++) {
          for (int j = left; j < Math.min(i, left + tile); j++) {
            m.put(j * n + i, m.get(i * n + j));
          }
        }
      }
    }
  }
}
