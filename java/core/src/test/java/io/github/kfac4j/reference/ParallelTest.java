package io.github.kfac4j.reference;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ParallelTest {
  private static List<double[]> inPool(int threads, int n) throws Exception {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      return pool.submit(() -> everyVerb(n)).get();
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    } finally {
      pool.shutdown();
    }
  }

  /** Two matrices of side n through all verbs. */
  private static List<double[]> everyVerb(int n) {
    Random random = new Random(n);
    List<double[]> results = new ArrayList<>();
    try (JavaBackend backend = new JavaBackend();
        MatrixStack a = backend.allocate(2, n, n);
        MatrixStack inverse = backend.allocate(2, n, n);
        MatrixStack vectors = backend.allocate(2, n, n);
        MatrixStack values = backend.allocate(2, 1, n)) {
      HostTensor x = Fixtures.direct(Fixtures.gaussian(random, 600 * 2 * n), 600, 2 * n);
      backend.accumulate(
          List.of(new AccumulateRequest(a, 0, 1.0 / 600, new RowSamples(x, 600, 1, 2, n, false))));
      backend.invert(List.of(new InvertRequest(a, 1, new double[] {0.1, 0.2}, inverse)));
      backend.decompose(List.of(new DecomposeRequest(a, 1, vectors, values)));
      Gradient gradient =
          new Gradient(HostTensor.of(Fixtures.gaussian(random, 2 * n * n), 2 * n, n), null);
      Gradient result = new Gradient(HostTensor.of(new double[2 * n * n], 2 * n, n), null);
      double[] dot =
          backend.precondition(
              List.of(new PreconditionRequest(inverse, inverse, 1, gradient, result)));
      for (MatrixStack stack : List.of(a, inverse, vectors, values)) {
        results.add(stack.toArray());
      }
      results.add(((HostTensor) result.weight()).toArray());
      results.add(dot);
    }
    return results;
  }

  @ParameterizedTest
  @ValueSource(ints = {70, 150, 300})
  void bitsDoNotDependOnTheNumberOfThreads(int n) throws Exception {
    List<double[]> expected = inPool(1, n);
    List<double[]> actual = inPool(4, n);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i)).isEqualTo(expected.get(i));
    }
  }

  @Test
  void manyCallersInOnePoolWaitForNoneOfEachOther() throws Exception {
    double[] expected = inPool(1, 150).get(1);
    ForkJoinPool pool = new ForkJoinPool(3);
    try {
      List<double[]> inverses =
          pool.submit(
                  () ->
                      IntStream.range(0, 8)
                          .parallel()
                          .mapToObj(i -> everyVerb(150).get(1))
                          .toList())
              .get();
      assertThat(inverses).allMatch(inverse -> Arrays.equals(inverse, expected));
    } finally {
      pool.shutdown();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 63, 64, 65, 1000})
  void chunksCoverTheRangeOnce(int n) {
    int[] visits = new int[n];
    Parallel.chunks(
        n,
        1e6,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            visits[i]++;
          }
        });
    assertThat(Arrays.stream(visits)).allMatch(v -> v == 1);
  }
}
