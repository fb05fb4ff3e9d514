package io.github.kfac4j.cuda.context;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Device memory for what calls of a verb will tell, until it has been asked for. Freed pieces serve
 * the next request of their size: a call that was made before allocates nothing, as nothing may be
 * allocated while a stream captures.
 */
public final class ResultMemory {
  private final CudaContext context;
  private final Map<Long, Deque<Long>> free = new HashMap<>();

  ResultMemory(CudaContext context) {
    this.context = context;
  }

  CudaContext context() {
    return context;
  }

  /** Room for so many bytes. */
  public long take(long bytes) {
    Deque<Long> pieces = free.get(bytes);
    return pieces == null || pieces.isEmpty() ? context.allocate(bytes, "results") : pieces.pop();
  }

  /** Takes back a piece, for work that waits for what uses it now. */
  void release(long piece, long bytes) {
    free.computeIfAbsent(bytes, b -> new ArrayDeque<>()).push(piece);
  }
}
