package io.github.kfac4j.cuda.context;

import io.github.kfac4j.cuda.CudaOutOfMemoryException;
import java.util.ArrayList;
import java.util.List;

/**
 * Scratch memory on the device for the duration of one verb. It grows on demand and is kept for the
 * next verb, in one piece. What a captured graph uses is never freed.
 */
public final class Arena {
  private static final long ALIGNMENT = 256;
  private static final long SMALLEST = 1 << 20;

  private final CudaContext context;
  private final List<Long> blocks = new ArrayList<>();
  private boolean captured;
  private long preferred;
  private long used;
  private long maxUsed;
  private long at;
  private long end;

  Arena(CudaContext context) {
    this.context = context;
  }

  /** Memory until {@link #reset}, aligned to 256 bytes, with whatever is in it. */
  public long take(long bytes) {
    long size = Math.addExact(bytes, ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size > end - at) {
      grow(size);
    }
    long address = at;
    at += size;
    used += size;
    maxUsed = Math.max(maxUsed, used);
    return address;
  }

  /** A point to which {@link #release} can go back. */
  public record Mark(int blocks, long at, long used) {}

  public Mark mark() {
    return new Mark(blocks.size(), at, used);
  }

  /** Takes back what was taken since; work on it may go on, if what comes next waits for it. */
  public void release(Mark mark) {
    // a block that was added since has been taken since from its start
    at = mark.blocks == blocks.size() ? mark.at : blocks.get(blocks.size() - 1);
    used = mark.used;
  }

  private void grow(long size) {
    long block = Math.max(size, Math.max(SMALLEST, blocks.isEmpty() ? preferred : 0));
    try {
      at = context.allocate(block, "scratch memory");
    } catch (CudaOutOfMemoryException e) {
      if (block == size) {
        throw e;
      }
      block = size; // without room to spare, then
      at = context.allocate(block, "scratch memory");
    }
    end = at + block;
    blocks.add(at);
  }

  /** What has been taken from now on belongs to a graph, too. */
  public void keep() {
    captured = true;
  }

  /** Takes back all memory, for work that waits for what uses it now. */
  public void reset() {
    if (blocks.size() > 1) {
      if (!captured) {
        blocks.forEach(context::free);
      }
      captured = false;
      blocks.clear();
      at = end = 0;
      preferred = maxUsed;
    }
    if (!blocks.isEmpty()) {
      at = blocks.get(0);
    }
    used = maxUsed = 0;
  }
}
