package io.github.kfac4j.distributed.asynchronous;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BackgroundThreadTest {
  @Test
  void errorsAreKeptAsExceptionsAre() {
    for (Throwable kept : new Throwable[] {new StackOverflowError(), new IllegalStateException()}) {
      try (BackgroundThread thread = new BackgroundThread()) {
        thread.submit(
            () -> {
              if (kept instanceof Error error) {
                throw error;
              }
              throw (RuntimeException) kept;
            });
        BackgroundThread.await(thread.call(() -> null));
        assertThatThrownBy(thread::throwFailure).isSameAs(kept);
      }
    }
  }

  @Test
  void anInterruptEndsNoWait() {
    try (BackgroundThread thread = new BackgroundThread()) {
      Thread.currentThread().interrupt();
      assertThat(BackgroundThread.await(thread.call(() -> 5))).isEqualTo(5);
      assertThat(Thread.interrupted()).isTrue();
    }
  }
}
