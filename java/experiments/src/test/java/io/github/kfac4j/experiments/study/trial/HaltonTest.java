package io.github.kfac4j.experiments.study.trial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HaltonTest {
  @Test
  void digitsAreMirrored() {
    assertThat(IntStream.rangeClosed(1, 6).mapToDouble(i -> Halton.radicalInverse(2, i)))
        .containsExactly(1.0 / 2, 1.0 / 4, 3.0 / 4, 1.0 / 8, 5.0 / 8, 3.0 / 8);
    assertThat(Halton.radicalInverse(3, 5)).isEqualTo(7.0 / 9, within(1e-15)); // 12 becomes .21
    assertThat(Halton.radicalInverse(5, 10)).isEqualTo(2.0 / 25, within(1e-15)); // 20, .02
  }

  @Test
  void everyCellHasItsPoint() {
    Halton points = new Halton(2, 7);
    double[] shift = new double[2];
    for (int d = 0; d < 2; d++) { // the first point is (1/2, 1/3) shifted
      shift[d] = (points.point(0)[d] - new double[] {1.0 / 2, 1.0 / 3}[d] + 1) % 1;
    }
    int[][] cells = new int[4][3];
    for (int i = 0; i < 60; i++) {
      double[] point = points.point(i);
      assertThat(point).hasSize(2);
      assertThat(point[0]).isBetween(0.0, 1.0);
      assertThat(point[1]).isBetween(0.0, 1.0);
      int row = (int) ((point[0] - shift[0] + 1) % 1 * 4 + 1e-9);
      int column = (int) ((point[1] - shift[1] + 1) % 1 * 3 + 1e-9);
      cells[row % 4][column % 3]++;
    }
    assertThat(cells).isDeepEqualTo(new int[][] {{5, 5, 5}, {5, 5, 5}, {5, 5, 5}, {5, 5, 5}});
  }

  @Test
  void seedsShiftTheSequence() {
    assertThat(new Halton(3, 1).point(4)).isEqualTo(new Halton(3, 1).point(4));
    double[] one = new Halton(3, 1).point(4);
    double[] two = new Halton(3, 2).point(4);
    for (int d = 0; d < 3; d++) {
      assertThat(Math.abs(one[d] - two[d])).isGreaterThan(1e-3);
    }
  }
}
