package io.github.kfac4j.distributed.collectives;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;

/** Every operation with sizes that differ between ranks, and empty ones; for any engine. */
public final class CollectivesScenario {
  private CollectivesScenario() {}

  /** Runs on every rank, in a scope as callers have that free native memory by scopes. */
  @SuppressWarnings("try") // the scope is there to be closed
  public static void run(Collectives c) {
    try (PointerScope scope = new PointerScope()) {
      allReduce(c);
      reduceScatterAndGather(c);
      allToAll(c);
      broadcast(c);
      inOrder(c);
      split(c);
    }
  }

  private static void allReduce(Collectives c) {
    ByteBuffer values = Buffers.of(c.rank(), 1, 5 - 2 * c.rank());
    c.allReduce(values).await();
    float sum = c.size() * (c.size() - 1) / 2f;
    assertThat(Buffers.toArray(values)).containsExactly(sum, c.size(), 5 * c.size() - 2 * sum);
    ByteBuffer nothing = Buffers.bytes(0);
    c.allReduce(nothing).await();
  }

  /** Rank r has r floats of its own, so rank 0 has none. */
  private static void reduceScatterAndGather(Collectives c) {
    int p = c.size();
    int[] counts = new int[p];
    Arrays.setAll(counts, r -> r * Float.BYTES);
    int total = p * (p - 1) / 2;
    float[] mine = new float[total];
    for (int i = 0; i < total; i++) {
      mine[i] = i + 100f * c.rank();
    }
    ByteBuffer part = Buffers.floats(c.rank());
    c.reduceScatter(Buffers.of(mine), counts, part).await();
    int start = c.rank() * (c.rank() - 1) / 2;
    float[] expected = new float[c.rank()];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = p * (float) (start + i) + 100f * total;
    }
    assertThat(Buffers.toArray(part)).containsExactly(expected);

    ByteBuffer all = Buffers.floats(total);
    c.allGather(part, counts, all).await();
    float[] gathered = new float[total];
    for (int i = 0; i < total; i++) {
      gathered[i] = p * (float) i + 100f * total;
    }
    assertThat(Buffers.toArray(all)).containsExactly(gathered);
  }

  /** Rank a sends (a + b) mod 3 bytes to rank b, all with the value 16 a + b. */
  private static void allToAll(Collectives c) {
    int p = c.size();
    int[] out = new int[p];
    Arrays.setAll(out, r -> (c.rank() + r) % 3);
    ByteBuffer send = Buffers.bytes(Buffers.sum(out));
    for (int to = 0; to < p; to++) {
      for (int i = 0; i < out[to]; i++) {
        send.put((byte) (16 * c.rank() + to));
      }
    }
    ByteBuffer receive = Buffers.bytes(Buffers.sum(out));
    c.allToAll(send.flip(), out, receive, out).await();
    for (int from = 0; from < p; from++) {
      for (int i = 0; i < out[from]; i++) {
        assertThat(receive.get()).isEqualTo((byte) (16 * from + c.rank()));
      }
    }
  }

  private static void broadcast(Collectives c) {
    for (int root = 0; root < c.size(); root++) {
      ByteBuffer bytes = Buffers.of(c.rank(), 7);
      c.broadcast(bytes, root).await();
      assertThat(Buffers.toArray(bytes)).containsExactly(root, 7);
    }
  }

  /** Several operations are under way at once. */
  private static void inOrder(Collectives c) {
    ByteBuffer one = Buffers.of(1);
    ByteBuffer two = Buffers.of(c.rank());
    Pending first = c.allReduce(one);
    Pending second = c.broadcast(two, c.size() - 1);
    Pending third = c.barrier();
    third.await();
    second.await();
    first.await();
    assertThat(Buffers.toArray(one)).containsExactly(c.size());
    assertThat(Buffers.toArray(two)).containsExactly(c.size() - 1);
  }

  /** The even ranks and the odd ones do different things, and then all do one together. */
  private static void split(Collectives c) {
    try (Collectives some = c.split(c.rank() % 2)) {
      assertThat(some.name()).isEqualTo(c.name());
      assertThat(some.size()).isEqualTo((c.size() + 1 - c.rank() % 2) / 2);
      assertThat(some.rank()).isEqualTo(c.rank() / 2);
      for (int i = 0; i <= c.rank() % 2; i++) {
        ByteBuffer ranks = Buffers.of(c.rank(), 1);
        some.allReduce(ranks).await();
        float others = some.size() * (some.size() - 1) + c.rank() % 2 * some.size();
        assertThat(Buffers.toArray(ranks)).containsExactly(others, some.size());
      }
      ByteBuffer one = Buffers.of(1);
      Pending ofAll = c.allReduce(one);
      some.barrier().await();
      ofAll.await();
      assertThat(Buffers.toArray(one)).containsExactly(c.size());
    }
  }
}
