package io.github.kfac4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.cli.common.Memory;
import org.junit.jupiter.api.Test;

class MemoryAdviceTest {
  @Test
  void aLargerHeapIsAdvisedWhereTheHeapIsTooSmallAndNowhereElse() {
    assertThat(Memory.advice(new OutOfMemoryError("Java heap space"))).contains("-Xmx");
    assertThat(Memory.advice(new OutOfMemoryError("Physical memory usage is too high")))
        .contains("outside of the heap (Physical memory usage is too high)")
        .doesNotContain("-Xmx");
  }
}
