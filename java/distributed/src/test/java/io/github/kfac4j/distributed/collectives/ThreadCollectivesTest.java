package io.github.kfac4j.distributed.collectives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ThreadCollectivesTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 7})
  void everyOperation(int size) {
    Ranks.run(
        size,
        c -> {
          CollectivesScenario.run(c);
          return null;
        });
  }

  @Test
  void differentOperationsAreNamed() {
    assertThatThrownBy(
            () ->
                Ranks.run(
                    2,
                    c -> {
                      (c.rank() == 0 ? c.barrier() : c.broadcast(Buffers.of(1), 0)).await();
                      return null;
                    }))
        .isInstanceOf(CollectiveException.class)
        .hasMessageContaining("rank 0 barrier, rank 1 broadcast of 4 bytes from rank 0");
  }

  @Test
  void aRankThatLeavesOrAbortsEndsTheJob() {
    assertThatThrownBy(
            () ->
                Ranks.run(
                    3,
                    c -> {
                      if (c.rank() < 2) {
                        c.barrier().await();
                      }
                      return null;
                    }))
        .hasMessage("rank 2 has left the job");
    assertThatThrownBy(
            () ->
                Ranks.run(
                    2,
                    c -> {
                      if (c.rank() == 1) {
                        c.abort("out of memory", 1);
                      }
                      c.barrier().await();
                      return null;
                    }))
        .hasMessage("rank 1 ended the job: out of memory");
  }

  @Test
  void sizesThatDoNotFitAreRefused() {
    Ranks.run(
        1,
        c -> {
          assertThatThrownBy(() -> c.allGather(Buffers.of(1), new int[] {8}, Buffers.of(1, 2)))
              .hasMessage("all-gather: sent bytes, found 4, expected 8");
          assertThatThrownBy(() -> c.allReduce(ByteBuffer.allocate(4)))
              .hasMessage("all-reduce: own buffer, found on the heap, expected direct");
          assertThatThrownBy(() -> c.broadcast(Buffers.of(1), 1))
              .hasMessage("broadcast: root, found 1, expected a rank below 1");
          assertThatThrownBy(() -> c.allReduce(Buffers.bytes(3)))
              .hasMessageContaining("a multiple of 4");
          return null;
        });
  }

  @Test
  void afterCloseNothingStarts() {
    Collectives alone = ThreadCollectives.job(1).get(0);
    alone.close();
    alone.close();
    assertThatThrownBy(alone::barrier).hasMessage("rank 0 has left the job");
  }

  @Test
  void bytesOnTheWire() {
    var bytes =
        Ranks.run(
            3,
            c -> {
              var counting = new CountingCollectives(c);
              int[] counts = {4, 8, 0};
              ByteBuffer part = Buffers.bytes(counts[c.rank()]);
              counting.reduceScatter(Buffers.bytes(12), counts, part).await();
              counting.allGather(part, counts, Buffers.bytes(12)).await();
              counting.broadcast(Buffers.bytes(5), 1).await();
              counting.allReduce(Buffers.bytes(12)).await();
              counting.barrier().await();
              return counting.bytes();
            });
    assertThat(bytes).containsExactly(8L + 8 + 16, 4L + 16 + 10 + 16, 12L + 0 + 16);
  }

  @Test
  void anInterruptLeavesTheJobInStep() {
    Ranks.run(
        2,
        c -> {
          for (int round = 0; round < 5; round++) {
            if (c.rank() == 0) {
              Thread.currentThread().interrupt();
            }
            c.barrier().await();
            assertThat(Thread.interrupted()).isEqualTo(c.rank() == 0);
          }
          return null;
        });
  }
}
