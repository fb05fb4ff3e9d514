package io.github.kfac4j.benchmarks.command;

import static org.bytedeco.openblas.global.openblas.*;

import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.run.Pairs;
import org.bytedeco.javacpp.FloatPointer;

/** The rate of a large matrix product, as good as this machine's rates get. */
final class GemmRate {
  private static final int N = 2048;

  private GemmRate() {}

  /** GFLOP/s of OpenBLAS on a number of threads, the median of 7. */
  static double measure(int threads) {
    float[] data = new Inputs(1).uniform(0, N * N);
    try (FloatPointer a = new FloatPointer(data.length).put(data, 0, data.length);
        FloatPointer b = new FloatPointer(data.length).put(data, 0, data.length);
        FloatPointer c = new FloatPointer(data.length)) {
      blas_set_num_threads(threads);
      double[] rates = new double[7];
      for (int i = -2; i < rates.length; i++) {
        long start = System.nanoTime();
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, a, N, b, N, 0, c, N);
        if (i >= 0) {
          rates[i] = 2.0 * N * N * N / (System.nanoTime() - start);
        }
      }
      return Pairs.median(rates);
    } finally {
      blas_set_num_threads(1);
    }
  }
}
