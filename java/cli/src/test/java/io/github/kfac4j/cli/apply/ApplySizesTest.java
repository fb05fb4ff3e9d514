package io.github.kfac4j.cli.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.safetensors.DType;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A head with the outputs of a large vocabulary: refused with a remedy, which works. */
class ApplySizesTest {
  private static final int VOCABULARY = 50257;
  private static final String HEAD =
      """
      {"layers":[{"name":"head","type":"dense","in_features":2,"out_features":50257,"bias":false%s}]}\
      """;

  @TempDir Path directory;

  private Cli.Outcome run(String more, String backend) {
    Bench bench = new Bench(directory);
    double[] logits = new double[VOCABULARY];
    logits[VOCABULARY - 1] = 3;
    double[] ones = new double[2 * VOCABULARY];
    Arrays.fill(ones, 1);
    bench.put("head.input", DType.F64, new double[] {1, 2}, 1, 2);
    bench.put("head.output_grad", DType.F64, logits, 1, VOCABULARY);
    bench.put("head.weight_grad", DType.F64, ones, VOCABULARY, 2);
    return bench.run(HEAD.formatted(more), "--backend", backend);
  }

  @ParameterizedTest
  @ValueSource(strings = {"java", "cpu"})
  void aFactorThatCannotBeIsNamedWithItsSize(String backend) {
    Cli.Outcome outcome = run("", backend);
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.err())
        .hasLineCount(1)
        .contains("layer 'head': its factor G of 50257 x 50257 needs ")
        .contains(" GiB of ", "; use DIAGONAL for it or leave it out");
  }

  @Test
  void itsDiagonalIsNoProblem() {
    Cli.Outcome outcome = run(",\"approximation\":\"diagonal\"", "java");
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    double[] u = Bench.values(new Bench(directory).results().get("head.weight_grad"));
    assertThat(u[0]).isEqualTo(1 / 1e-3);
    assertThat(u[2 * VOCABULARY - 1]).isEqualTo(1 / (36 + 1e-3)); // (3 * 2)^2
  }
}
