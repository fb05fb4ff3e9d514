package io.github.kfac4j.experiments.study.search;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SobolPointsTest {
  private static final int DIMENSIONS = 11;

  /** Each of the first 64 points has an interval of 1/64 of its own, in every dimension. */
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 2, 77})
  void everyDimensionIsCovered(long seed) {
    SobolPoints points = new SobolPoints(DIMENSIONS, seed);
    boolean[][] hit = new boolean[DIMENSIONS][64];
    for (int i = 0; i < 64; i++) {
      double[] point = points.point(i);
      assertThat(point).hasSize(DIMENSIONS);
      for (int d = 0; d < DIMENSIONS; d++) {
        int cell = (int) Math.floor(point[d] * 64);
        assertThat(hit[d][cell]).as("dimension %d, cell %d", d, cell).isFalse();
        hit[d][cell] = true;
      }
    }
  }

  /**
   * Of 1,024 points, squares of 1/8 by 1/8 of every pair of dimensions hold 16 each; of random
   * points they would hold 16 with a deviation of 4.
   */
  @Test
  void everyPairOfDimensionsIsCovered() {
    SobolPoints points = new SobolPoints(DIMENSIONS, 3);
    int[][][][] count = new int[DIMENSIONS][DIMENSIONS][8][8];
    for (int i = 0; i < 1024; i++) {
      double[] point = points.point(i);
      for (int d = 0; d < DIMENSIONS; d++) {
        for (int e = 0; e < d; e++) {
          count[d][e][(int) (8 * point[d])][(int) (8 * point[e])]++;
        }
      }
    }
    for (int d = 0; d < DIMENSIONS; d++) {
      for (int e = 0; e < d; e++) {
        for (int[] row : count[d][e]) {
          assertThat(row).as("dimensions %d and %d", d, e).containsOnly(16);
        }
      }
    }
  }

  @Test
  void seedsGiveOtherPointsOfTheSameKind() {
    double[] one = new SobolPoints(3, 1).point(4);
    assertThat(new SobolPoints(3, 1).point(4)).isEqualTo(one);
    double[] two = new SobolPoints(3, 2).point(4);
    for (int d = 0; d < 3; d++) {
      assertThat(Math.abs(one[d] - two[d])).isGreaterThan(1e-3);
    }
  }

  @Test
  void nothingToSearchIsAPointWithoutCoordinates() {
    assertThat(new SobolPoints(0, 1).point(5)).isEmpty();
  }
}
