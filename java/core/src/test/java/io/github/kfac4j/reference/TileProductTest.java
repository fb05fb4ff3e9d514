package io.github.kfac4j.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TileProductTest {
  private final Random random = new Random(1);

  private double[] normal(int n) {
    return random.doubles(n, -1, 1).toArray();
  }

  @Test
  void theVectorModuleBringsItsOwnKind() {
    boolean vectors = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    assertThat(TileProduct.ofThread().getClass().getSimpleName())
        .isEqualTo(vectors ? "VectorTileProduct" : "FmaTileProduct");
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1",
    "64, 256, 32, 256",
    "9, 255, 31, 255",
    "4, 64, 17, 1",
    "5, 100, 7, 30",
    "64, 256, 3, 200",
    "6, 33, 0, 33"
  })
  void addsInTheOrderOfTheDepthByFusedMultiplyAdds(int m, int n, int depth, int firstEnd) {
    Strided c = Strided.rows(normal(m * (n + 5) + 4), 4, n + 5);
    Strided a = new Strided(normal(depth * (m + 1) + 1), 1, 1, m + 1);
    Strided x = Strided.rows(normal(depth * (n + 3) + 2), 2, n + 3);
    double[] expected = c.values().clone();
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        for (int p = 0; p < depth; p++) {
          int at = c.index(i, j);
          double factor = 0.3 * a.values()[a.index(i, p)];
          expected[at] = Math.fma(factor, x.values()[x.index(p, j)], expected[at]);
        }
      }
    }
    for (TileProduct product : new TileProduct[] {TileProduct.ofThread(), new FmaTileProduct()}) {
      double[] full = normal(64 * 256);
      Strided all = Strided.rows(full, 0, 256);
      product.addTo(all, 64, 256, 256, 1, all, all, 64); // its traces must not matter
      Strided result = Strided.rows(c.values().clone(), 4, n + 5);
      product.addTo(result, m, n, firstEnd, 0.3, a, x, depth);
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          int at = c.index(i, j);
          if (j < firstEnd + i) {
            assertThat(result.values()[at]).isEqualTo(expected[at]);
          }
        }
        int gap = c.index(i, n);
        assertThat(result.values()[gap]).isEqualTo(c.values()[gap]);
      }
    }
  }
}
