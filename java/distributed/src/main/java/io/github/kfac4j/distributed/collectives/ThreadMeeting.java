package io.github.kfac4j.distributed.collectives;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** Where the ranks of {@link ThreadCollectives} meet: the last one to come does the work. */
final class ThreadMeeting {
  private final Object[] parts;
  private final String[] operations;
  private int present;
  private long round;
  private String failure;

  ThreadMeeting(int size) {
    if (size < 1) {
      throw new IllegalArgumentException("a job needs at least one rank, not " + size);
    }
    parts = new Object[size];
    operations = new String[size];
  }

  int size() {
    return parts.length;
  }

  /**
   * Waits for all ranks.
   *
   * @param operation must be the same for all
   * @param mine this rank's part
   * @param work is done once, with the parts of all ranks
   */
  synchronized <T> void meet(int rank, String operation, T mine, Consumer<List<T>> work) {
    requireGoing();
    parts[rank] = mine;
    operations[rank] = operation;
    present++;
    if (present == parts.length) {
      finishRound(work);
      return;
    }
    long current = round;
    while (round == current && failure == null) {
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CollectiveException("interrupted in " + operation, e);
      }
    }
    if (round == current) {
      requireGoing();
    }
  }

  private <T> void finishRound(Consumer<List<T>> work) {
    try {
      requireSameOperation();
      List<T> all = new ArrayList<>();
      for (Object part : parts) {
        @SuppressWarnings("unchecked") // the same operation has the same kind of parts
        T typed = (T) part;
        all.add(typed);
      }
      work.accept(all);
    } catch (CollectiveException e) {
      abort(e.getMessage());
      throw e;
    }
    Arrays.fill(parts, null);
    present = 0;
    round++;
    notifyAll();
  }

  private void requireSameOperation() {
    for (int rank = 1; rank < operations.length; rank++) {
      if (!operations[rank].equals(operations[0])) {
        throw new CollectiveException(
            "ranks do not call the same operation: rank 0 %s, rank %d %s"
                .formatted(operations[0], rank, operations[rank]));
      }
    }
  }

  private void requireGoing() {
    if (failure != null) {
      throw new CollectiveException(failure);
    }
  }

  synchronized void abort(String reason) {
    if (failure == null) {
      failure = reason;
      notifyAll();
    }
  }
}
