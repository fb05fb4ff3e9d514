package io.github.kfac4j.experiments.study.scaling;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.DoubleSupplier;

/** Measures the speeds of this machine; each number is the median of several runs. */
final class SpeedMeasurement {
  private static final int RUNS = 5;
  private static final int ROWS = 4096;
  private static final int WIDTH = 512;

  private final Backend backend;
  private final Random random = new Random(1);

  private SpeedMeasurement(Backend backend) {
    this.backend = backend;
  }

  /**
   * Measures.
   *
   * @param link between the ranks
   * @param images of each rank, for the predictions
   * @param largest dimension of an inverse; others are powers of two below it
   */
  static Cluster of(Backend backend, Link link, int images, int largest) {
    SpeedMeasurement measurement = new SpeedMeasurement(backend);
    Map<Integer, Double> inverses = new TreeMap<>();
    for (int n = 32; n <= largest; n *= 2) {
      inverses.put(n, measurement.inverse(n));
    }
    return new Cluster(
        "measured here: backend %s, %d ranks by %s"
            .formatted(backend.name(), link.ranks(), link.engine()),
        images,
        measurement.flopsPerSecond(),
        inverses,
        link.latencySeconds(),
        link.bytesPerSecond());
  }

  static double median(DoubleSupplier timed) {
    timed.getAsDouble(); // the first one loads and compiles
    double[] seconds = new double[RUNS];
    Arrays.setAll(seconds, i -> timed.getAsDouble());
    Arrays.sort(seconds);
    return seconds[RUNS / 2];
  }

  private double inverse(int n) {
    try (MatrixStack matrix = backend.allocate(1, n, n);
        MatrixStack inverse = backend.allocate(1, n, n)) {
      double[] elements = new double[n * n];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
          elements[i * n + j] = random.nextGaussian() / n;
          elements[j * n + i] = elements[i * n + j];
        }
        elements[i * n + i] = 2;
      }
      matrix.set(elements);
      InvertRequest request = new InvertRequest(matrix, 1, new double[] {1}, inverse);
      return median(() -> seconds(() -> backend.invert(List.of(request))));
    }
  }

  /** The rate of updating a factor: {@code rows n^2} multiplications and additions. */
  private double flopsPerSecond() {
    float[] values = new float[ROWS * WIDTH];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat();
    }
    HostTensor data = HostTensor.of(values, ROWS, WIDTH);
    try (MatrixStack target = backend.allocate(1, WIDTH, WIDTH)) {
      AccumulateRequest moment =
          new AccumulateRequest(target, 0, 1, new RowSamples(data, ROWS, 1, 1, WIDTH, false));
      double seconds = median(() -> seconds(() -> backend.accumulate(List.of(moment))));
      return (double) ROWS * WIDTH * WIDTH / seconds;
    }
  }

  static double seconds(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) * 1e-9;
  }
}
