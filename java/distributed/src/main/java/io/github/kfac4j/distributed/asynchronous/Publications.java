package io.github.kfac4j.distributed.asynchronous;

import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.distributed.exchange.Agreement;
import io.github.kfac4j.distributed.exchange.FirstFailure;
import io.github.kfac4j.distributed.ranks.RankLayers;
import io.github.kfac4j.distributed.ranks.Refresh;
import io.github.kfac4j.distributed.ranks.SharedLayers;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Inverses that have been asked for, and when they take effect. Their logical clock is the step at
 * which they were asked for; how many steps later they take effect is their lag.
 */
final class Publications {
  private final int bound;
  private final Clock clock;
  private final Predicate<Boolean> everywhere;
  private final Deque<Publication> asked = new ArrayDeque<>();
  private final List<Publication> usedInStep = new ArrayList<>();
  private Use now = new Use(false, 0, 0, 0);
  private Use beforeStep = now;

  /** Up to which step inverses have taken effect. */
  private record Use(boolean ready, long lag, long largestLag, long waits) {}

  /** What a refresh gave: reports, and the state with the new inverses. */
  record Content(List<LayerReport> reports, Map<String, StoredTensor> state) {}

  /**
   * Has the owners of layers refresh their inverses and publish them; called by those who publish
   * and those who receive.
   */
  static Content exchange(
      SharedLayers shared, RankLayers mine, FirstFailure failure, Agreement agreement, long clock) {
    List<LayerReport> reports = Refresh.of(shared, mine, failure, agreement);
    return new Content(reports, mine.toTensors(clock));
  }

  private record Publication(long clock, CompletableFuture<Content> content) {}

  /**
   * None yet.
   *
   * @param everywhere whether a condition that holds on this rank holds on all ranks that must act
   *     alike
   */
  Publications(int bound, Clock clock, Predicate<Boolean> everywhere) {
    if (bound < 0) {
      throw new IllegalArgumentException(
          "the bound on staleness must not be negative but is " + bound);
    }
    this.bound = bound;
    this.clock = clock;
    this.everywhere = everywhere;
  }

  void ask(long step, CompletableFuture<Content> content) {
    asked.add(new Publication(step, content));
  }

  /**
   * Applies the inverses that are due at a step, one after the other. Waits if the bound is
   * reached, or if there have been no inverses yet; throws the failure if they could not be
   * computed.
   */
  void use(long step, Consumer<Content> user) {
    while (!asked.isEmpty()) {
      Publication next = asked.peek();
      boolean must = !now.ready || step - next.clock >= bound;
      if (!must && (clock == Clock.LOGICAL || !everywhere.test(next.content.isDone()))) {
        return;
      }
      long waits = now.waits + (now.ready && !next.content.isDone() ? 1 : 0);
      asked.remove();
      user.accept(BackgroundThread.await(next.content));
      usedInStep.add(next);
      long lag = step - next.clock;
      now = new Use(true, lag, Math.max(now.largestLag, lag), waits);
    }
  }

  void endStep() {
    usedInStep.clear();
    beforeStep = now;
  }

  /** Forgets what was asked for in a step; what was asked for before and used in it waits again. */
  void discard(long step) {
    for (int i = usedInStep.size() - 1; i >= 0; i--) {
      asked.addFirst(usedInStep.get(i));
    }
    asked.removeIf(publication -> publication.clock == step);
    usedInStep.clear();
    now = beforeStep;
  }

  /** Forgets what was asked for, since there are inverses from elsewhere. */
  void replaced() {
    asked.clear();
    now = new Use(true, 0, now.largestLag, now.waits);
    endStep();
  }

  long lag() {
    return now.lag;
  }

  long largestLag() {
    return now.largestLag;
  }

  long waits() {
    return now.waits;
  }
}
