package io.github.kfac4j.distributed.ranks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class SymmetricPackingTest {
  private static double[] symmetric(Random random, int count, int n) {
    double[] matrices = new double[count * n * n];
    for (int k = 0; k < count; k++) {
      for (int r = 0; r < n; r++) {
        for (int c = 0; c <= r; c++) {
          float x = random.nextFloat();
          matrices[(k * n + r) * n + c] = x;
          matrices[(k * n + c) * n + r] = x;
        }
      }
    }
    return matrices;
  }

  @Test
  void theRoundTripIsExactAndHalfTheSize() {
    Random random = new Random(3);
    for (int n : new int[] {1, 2, 13}) {
      double[] matrices = symmetric(random, 3, n);
      float[] packed = SymmetricPacking.pack(matrices, n, 1);
      assertThat(packed).hasSize(3 * n * (n + 1) / 2);
      assertThat(SymmetricPacking.unpack(packed, n)).containsExactly(matrices);
    }
  }

  @Test
  void theOrderIsThatOfTheLowerTriangle() {
    double[] matrix = {1, 2, 4, 2, 3, 5, 4, 5, 6};
    assertThat(SymmetricPacking.pack(matrix, 3, 2)).containsExactly(2, 4, 6, 8, 10, 12);
  }
}
