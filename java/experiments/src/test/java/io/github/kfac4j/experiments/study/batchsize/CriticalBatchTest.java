package io.github.kfac4j.experiments.study.batchsize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.experiments.study.batchsize.CriticalBatch.Point;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CriticalBatchTest {
  @Test
  void liesWhereTheExamplesDouble() {
    List<Point> points =
        List.of(new Point(16, 800), new Point(32, 400), new Point(64, 200), new Point(256, 200));
    // four times the examples at four times the batch: double at twice the batch
    assertThat(CriticalBatch.of(points).batch()).isEqualTo(128, within(1e-9));
    assertThat(CriticalBatch.of(points).above()).isNull();
    assertThat(CriticalBatch.of(points).describe()).isEqualTo("about 128, from batch size 16 on");
  }

  @Test
  void isThatOfTheModelOfTwoRegimes() {
    // steps = 2^12 (1 + b / 2^10) 2^10 / b: the examples are in proportion to 1 + b / 2^10
    List<Point> points =
        IntStream.rangeClosed(0, 14)
            .mapToObj(i -> new Point(1 << i, (1L << 22 - i) + (1L << 12)))
            .toList();
    assertThat(CriticalBatch.of(points).batch()).isBetween(1000.0, 1050.0);
  }

  @Test
  void theFirstCrossingCounts() {
    List<Point> points = List.of(new Point(1, 100), new Point(2, 150), new Point(4, 30));
    assertThat(CriticalBatch.of(points).batch()).isBetween(1.0, 2.0);
  }

  @Test
  void isUnknownOutsideOfWhatWasMeasured() {
    List<Point> perfect = List.of(new Point(16, 800), new Point(64, 200));
    assertThat(CriticalBatch.of(perfect)).isEqualTo(new CriticalBatch(16, null, 64));
    assertThat(CriticalBatch.of(perfect).describe()).isEqualTo("above 64, from batch size 16 on");
    assertThat(CriticalBatch.of(List.of(new Point(16, 5))).describe()).isEqualTo("unknown");
    assertThat(CriticalBatch.of(List.of()).describe()).isEqualTo("unknown");
  }
}
