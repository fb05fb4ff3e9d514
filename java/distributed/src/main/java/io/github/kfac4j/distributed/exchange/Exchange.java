package io.github.kfac4j.distributed.exchange;

import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Pending;
import io.github.kfac4j.distributed.collectives.Precision;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * Brings blocks of numbers to their owners, and from there to all. Every rank has the same blocks
 * in the same order; those of a rank travel together.
 */
public final class Exchange {
  private final Collectives collectives;
  private final BlockFormat format;

  public Exchange(Collectives collectives, Precision precision) {
    this.collectives = collectives;
    this.format = precision == Precision.FP32 ? BlockFormat.FP32 : BlockFormat.FP16;
  }

  /**
   * Starts to sum blocks over all ranks at their owners.
   *
   * @return when waited for, the blocks of this rank hold the sums; the others hold anything
   */
  public Pending sum(List<Block> blocks) {
    int[] counts = counts(blocks);
    ByteBuffer send = encode(blocks, counts);
    int own = counts[collectives.rank()];
    if (format == BlockFormat.FP32) {
      ByteBuffer receive = Buffers.bytes(own);
      Pending pending = collectives.reduceScatter(send, counts, receive);
      return () -> {
        pending.await();
        mine(blocks).forEach(block -> format.decode(receive, block.values()));
      };
    }
    int[] incoming = new int[counts.length];
    Arrays.fill(incoming, own);
    ByteBuffer receive = Buffers.bytes(Buffers.size((long) own * counts.length));
    Pending pending = collectives.allToAll(send, counts, receive, incoming);
    return () -> {
      pending.await();
      addUp(mine(blocks), receive);
    };
  }

  /** Adds the contributions in the order of the ranks. */
  private void addUp(List<Block> blocks, ByteBuffer contributions) {
    for (int rank = 0; rank < collectives.size(); rank++) {
      for (Block block : blocks) {
        float[] sum = block.values();
        float[] one = new float[sum.length];
        format.decode(contributions, one);
        for (int i = 0; i < sum.length; i++) {
          sum[i] = rank == 0 ? one[i] : sum[i] + one[i];
        }
      }
    }
  }

  /** Starts to copy every block from its owner to all ranks; the owner too gets what travelled. */
  public Pending gather(List<Block> blocks) {
    int[] counts = counts(blocks);
    ByteBuffer send = encode(mine(blocks), onlyMine(counts));
    ByteBuffer receive = Buffers.bytes(Buffers.sum(counts));
    Pending pending = collectives.allGather(send, counts, receive);
    return () -> {
      pending.await();
      for (int rank = 0; rank < counts.length; rank++) {
        of(blocks, rank).forEach(block -> format.decode(receive, block.values()));
      }
    };
  }

  /** Who sends a block to a rank. */
  public interface Route {
    /**
     * The sender.
     *
     * @param owner of the block
     * @param receiver the rank that may need it
     * @return the receiver itself if it has it already, -1 if it does not need it
     */
    int sender(int owner, int receiver);
  }

  /** Sends blocks along a route. Those who have a block keep what travelled, rounded alike. */
  public void send(List<Block> blocks, Route route) {
    int me = collectives.rank();
    int ranks = collectives.size();
    int[] sendCounts = new int[ranks];
    int[] receiveCounts = new int[ranks];
    for (int rank = 0; rank < ranks; rank++) {
      for (Block block : blocks) {
        int bytes = format.bytes(block.values().length);
        if (rank != me && route.sender(block.owner(), rank) == me) {
          sendCounts[rank] = Buffers.size((long) sendCounts[rank] + bytes);
        }
        if (rank != me && route.sender(block.owner(), me) == rank) {
          receiveCounts[rank] = Buffers.size((long) receiveCounts[rank] + bytes);
        }
      }
    }
    ByteBuffer send = Buffers.bytes(Buffers.sum(sendCounts));
    for (int rank = 0; rank < ranks; rank++) {
      for (Block block : blocks) {
        if (rank != me && route.sender(block.owner(), rank) == me) {
          format.encode(block.values(), send);
        }
      }
    }
    blocks.stream().filter(b -> route.sender(b.owner(), me) == me).forEach(this::round);
    ByteBuffer receive = Buffers.bytes(Buffers.sum(receiveCounts));
    collectives.allToAll(send.flip(), sendCounts, receive, receiveCounts).await();
    for (int rank = 0; rank < ranks; rank++) {
      for (Block block : blocks) {
        if (rank != me && route.sender(block.owner(), me) == rank) {
          format.decode(receive, block.values());
        }
      }
    }
  }

  private void round(Block block) {
    ByteBuffer bytes = Buffers.bytes(format.bytes(block.values().length));
    format.encode(block.values(), bytes);
    format.decode(bytes.flip(), block.values());
  }

  private List<Block> mine(List<Block> blocks) {
    return of(blocks, collectives.rank());
  }

  private static List<Block> of(List<Block> blocks, int rank) {
    return blocks.stream().filter(block -> block.owner() == rank).toList();
  }

  private int[] counts(List<Block> blocks) {
    int[] counts = new int[collectives.size()];
    for (Block block : blocks) {
      int bytes = format.bytes(block.values().length);
      counts[block.owner()] = Buffers.size((long) counts[block.owner()] + bytes);
    }
    return counts;
  }

  private int[] onlyMine(int[] counts) {
    int[] mine = new int[counts.length];
    mine[collectives.rank()] = counts[collectives.rank()];
    return mine;
  }

  private ByteBuffer encode(List<Block> blocks, int[] counts) {
    ByteBuffer buffer = Buffers.bytes(Buffers.sum(counts));
    for (int rank = 0; rank < counts.length; rank++) {
      of(blocks, rank).forEach(block -> format.encode(block.values(), buffer));
    }
    return buffer.flip();
  }
}
