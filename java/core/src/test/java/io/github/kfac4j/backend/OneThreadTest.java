package io.github.kfac4j.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class OneThreadTest {
  private final OneThread alone = new OneThread("the thing");

  @Test
  void aSecondThreadIsRefusedWhileACallIsUnderWayAndServedAfterIt() {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(1);
    CompletableFuture<Integer> first =
        CompletableFuture.supplyAsync(
            () ->
                alone.call(
                    () -> {
                      inside.countDown();
                      await(done);
                      return 7;
                    }));
    await(inside);
    assertThatThrownBy(() -> alone.run(() -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("the thing is used by one thread at a time")
        .hasMessageContaining("thread '" + Thread.currentThread().getName() + "'");
    done.countDown();
    assertThat(first.join()).isEqualTo(7);
    assertThat(alone.<Integer>call(() -> 8)).isEqualTo(8);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aCallMayMakeOthersAndAFailureEndsIt() throws Exception {
    assertThatThrownBy(
            () ->
                alone.run(
                    () -> {
                      alone.run(() -> {});
                      throw new IllegalArgumentException("bad");
                    }))
        .hasMessage("bad");
    CompletableFuture.runAsync(() -> alone.run(() -> {})).get();
  }
}
