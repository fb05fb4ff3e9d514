package io.github.kfac4j.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowBlockTest {
  private final Random random = new Random(1);

  private double[] normal(int n) {
    return random.doubles(n, -1, 1).toArray();
  }

  @Test
  void theVectorModuleBringsItsOwnKind() {
    boolean vectors = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    assertThat(RowBlock.create().getClass().getSimpleName())
        .isEqualTo(vectors ? "VectorRowBlock" : "FmaRowBlock");
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 0",
    "32, 256, 9, 0",
    "31, 255, 4, 17",
    "4, 64, 32, 3",
    "7, 100, 5, 99",
    "32, 33, 2, 1"
  })
  void addsInTheOrderOfTheRowsByFusedMultiplyAdds(int depth, int width, int m, int first) {
    int xs = width + 3;
    int cs = width + 5;
    double[] x = normal(depth * xs + 2);
    double[] a = normal(depth * (m + 1) + 1);
    double[] c = normal(m * cs + 4);
    double[] expected = c.clone();
    for (int i = 0; i < m; i++) {
      for (int j = first; j < width; j++) {
        double sum = c[4 + i * cs + j - first];
        for (int p = 0; p < depth; p++) {
          sum = Math.fma(0.3 * a[1 + i + p * (m + 1)], x[2 + p * xs + j], sum);
        }
        expected[4 + i * cs + j - first] = sum;
      }
    }
    for (RowBlock block : new RowBlock[] {RowBlock.create(), new FmaRowBlock()}) {
      double[] result = c.clone();
      block.load(normal(RowBlock.DEPTH * RowBlock.WIDTH), 0, RowBlock.WIDTH, RowBlock.DEPTH, 256);
      block.load(x, 2, xs, depth, width);
      block.addTo(result, 4, cs, m, first, width - first, 0.3, a, 1, 1, m + 1);
      assertThat(result).isEqualTo(expected);
    }
  }
}
