package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

/** kfac-djl alone, without a native backend. */
class PureJavaTest {
  @Test
  void itIsAWarningThatSaysWhatToAdd() {
    PrintStream console = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    System.setErr(new PrintStream(said, true));
    try (Backend best = Backends.best()) {
      assertThat(best.name()).isEqualTo("java");
    } finally {
      System.setErr(console);
    }
    assertThat(said.toString().lines())
        .singleElement()
        .asString()
        .contains(
            "WARN io.github.kfac4j.backend.Backends - K-FAC runs in pure Java",
            "io.github.kfac4j:kfac-cpu",
            "classifier linux-x86_64",
            "io.github.kfac4j:kfac-djl-platform");
  }
}
