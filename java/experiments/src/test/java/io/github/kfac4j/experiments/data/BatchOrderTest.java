package io.github.kfac4j.experiments.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class BatchOrderTest {

  @Property(tries = 200)
  void anEpochUsesEveryImageAtMostOnce(
      @ForAll @IntRange(min = 1, max = 300) int count,
      @ForAll @IntRange(min = 1, max = 300) int batchSize,
      @ForAll long seed) {
    int size = Math.min(batchSize, count);
    BatchOrder order = new BatchOrder(count, size, seed);
    int batches = order.batchesPerEpoch();
    int[] used =
        IntStream.range(0, batches)
            .flatMap(i -> Arrays.stream(order.indices(batches + i))) // the second epoch
            .sorted()
            .toArray();
    assertThat(used).hasSize(count - count % size).doesNotHaveDuplicates();
    assertThat(used[0]).isNotNegative();
    assertThat(used[used.length - 1]).isLessThan(count);
  }

  @Test
  void dependsOnSeedAndStepAlone() {
    BatchOrder order = new BatchOrder(100, 30, 7);
    int[] late = order.indices(1000);
    order.indices(3);
    assertThat(order.indices(1000)).isEqualTo(late);
    assertThat(new BatchOrder(100, 30, 7).indices(1000)).isEqualTo(late);
    assertThat(new BatchOrder(100, 30, 8).indices(1000)).isNotEqualTo(late);
    assertThat(order.indices(0)).isNotEqualTo(order.indices(3)); // the next epoch
    assertThat(order.epoch(2)).isZero();
    assertThat(order.epoch(3)).isEqualTo(1);
  }

  @Test
  void theGeneratorMatchesItsPublishedSequence() {
    // with this seed the state is mix(mix(0) + 0) = 0: the sequence of splitmix64 seeded with 0
    SplitMix64 unseeded = new SplitMix64(-0x9e3779b97f4a7c15L, 0);
    assertThat(unseeded.nextLong()).isEqualTo(0xe220a8397b1dcdafL);
    assertThat(unseeded.nextLong()).isEqualTo(0x6e789e6aa1b965f4L);
    assertThat(unseeded.nextLong()).isEqualTo(0x06c45d188009454fL);
  }

  @Test
  void everyPositionIsEquallyLikely() {
    int[] hits = new int[5];
    for (int epoch = 0; epoch < 5000; epoch++) {
      hits[new BatchOrder(5, 5, 1).indices(epoch)[0]]++;
    }
    // 1000 expected, standard deviation 28
    assertThat(IntStream.of(hits).boxed()).allMatch(h -> Math.abs(h - 1000) < 140);
  }

  @Test
  void refusesABatchLargerThanTheData() {
    assertThatThrownBy(() -> new BatchOrder(10, 11, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a batch of 11 out of 10 images");
  }
}
