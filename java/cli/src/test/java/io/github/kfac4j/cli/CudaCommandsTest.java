package io.github.kfac4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Commands on the CUDA backend. */
@Tag("gpu")
class CudaCommandsTest {
  @BeforeEach
  void somethingToRunOn() {
    CudaHere.assume();
  }

  @Test
  void infoSaysWhatItRunsOn() {
    Cli.Outcome outcome = Cli.run("info");
    assertThat(outcome.exitCode()).isZero();
    assertThat(outcome.out()).contains("backend  cuda  available: ");
    assertThat(outcome.out().contains("not a GPU")).isEqualTo(CudaHere.emulated());
  }

  @Test
  void everyVerbAgreesWithTheReference() {
    JsonNode report = Cli.json("validate", "--backend", "cuda", "--small", "--json");
    assertThat(report.get("misses").intValue()).isZero();
    JsonNode cuda = report.get("backends").get(0);
    assertThat(cuda.get("name").textValue()).isEqualTo("cuda");
    assertThat(cuda.get("details").textValue().contains("not a GPU"))
        .isEqualTo(CudaHere.emulated());
    assertThat(cuda.get("checks").findValuesAsText("verb"))
        .contains(
            "patches",
            "accumulate",
            "accumulateInBasis",
            "invert",
            "decompose",
            "precondition",
            "preconditionInBasis");
  }
}
