package io.github.kfac4j.distributed.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.distributed.collectives.CountingCollectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.collectives.Ranks;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ExchangeTest {
  /** Blocks of rank 2, 0, 2 and none of rank 1; values depend on the rank and the block. */
  private static List<Block> blocks(int rank) {
    float r = rank + 1;
    return List.of(
        new Block(2, new float[] {r, 2 * r, 3 * r}),
        new Block(0, new float[] {1000 * r}),
        new Block(2, new float[] {-r, 0}));
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void sumsReachTheirOwnersAndThenAll(Precision precision) {
    List<List<Block>> results =
        Ranks.run(
            3,
            c -> {
              List<Block> blocks = blocks(c.rank());
              Exchange exchange = new Exchange(c, precision);
              exchange.sum(blocks).await();
              exchange.gather(blocks).await();
              return blocks;
            });
    for (List<Block> blocks : results) {
      assertThat(blocks.get(0).values()).containsExactly(new float[] {6, 12, 18}, offset(0.02f));
      assertThat(blocks.get(1).values()).containsExactly(new float[] {6000}, offset(6f));
      assertThat(blocks.get(2).values()).containsExactly(new float[] {-6, 0}, offset(0.02f));
      for (int i = 0; i < blocks.size(); i++) {
        assertThat(blocks.get(i).values()).containsExactly(results.get(0).get(i).values());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void bytesAreThoseOfTheBlocksOfOthers(Precision precision) {
    List<Long> bytes =
        Ranks.run(
            3,
            c -> {
              var counting = new CountingCollectives(c);
              List<Block> blocks = blocks(c.rank());
              Exchange exchange = new Exchange(counting, precision);
              exchange.sum(blocks).await();
              exchange.gather(blocks).await();
              return counting.bytes();
            });
    // blocks of 3, 1 and 2 numbers; fp16 has 4 bytes of scale and whole words
    long rank0 = precision == Precision.FP32 ? 4 : 4 + 4;
    long rank2 = precision == Precision.FP32 ? 20 : 4 + 8 + 4 + 4;
    assertThat(bytes).containsExactly(rank2 + 2 * rank0, rank0 + rank2, rank0 + 2 * rank2);
  }
}
