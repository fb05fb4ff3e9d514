package io.github.kfac4j.cli.nqm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.cli.Cli;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NqmCommandTest {
  private static String[] words(String line) {
    return line.strip().split("\\s+");
  }

  @Test
  void stepsPrintsTheTunedRuns() {
    JsonNode document =
        Cli.json(words("nqm steps --method momentum --power 0.5 --batch 4,1024,1048576 --json"));
    assertThat(document.get("method").asText()).isEqualTo("momentum");
    assertThat(document.get("power").asDouble()).isEqualTo(0.5);
    assertThat(document.get("target").asDouble()).isEqualTo(0.01);
    double[] expected = {287137, 1140, 17};
    for (int i = 0; i < 3; i++) {
      JsonNode row = document.get("results").get(i);
      assertThat(row.get("steps").asDouble()).isCloseTo(expected[i], withinPercentage(2));
      assertThat(row.get("bound").asDouble())
          .isCloseTo(5e5 / row.get("batch").asDouble(), withinPercentage(1e-6));
      assertThat(row.get("effective_learning_rate").asDouble())
          .isCloseTo(
              row.get("learning_rate").asDouble() / (1 - row.get("decay").asDouble()),
              withinPercentage(1e-9));
    }
  }

  @Test
  void stepsPrintsATable() {
    Cli.Outcome outcome = Cli.run(words("nqm steps --method sgd --batch 16384"));
    assertThat(outcome.exitCode()).isZero();
    assertThat(outcome.out()).contains("batch").contains("7447").contains("1.8957");
    assertThat(outcome.err()).isEmpty();
  }

  @Test
  void stepsCanRefineOrHoldTheDecay() {
    double grid = firstSteps("nqm steps --method ema --batch 4096 --json");
    assertThat(firstSteps("nqm steps --method ema --batch 4096 --refine --json")).isLessThan(grid);
    JsonNode held =
        Cli.json(words("nqm steps --method momentum --decay 0.9 --batch 16384 --json"))
            .get("results")
            .get(0);
    assertThat(held.get("decay").asDouble()).isEqualTo(0.9);
    assertThat(held.get("effective_learning_rate").asDouble()).isCloseTo(28.5, within(0.3));
  }

  private static double firstSteps(String line) {
    return Cli.json(words(line)).get("results").get(0).get("steps").asDouble();
  }

  @Test
  void stepsOutOfReachFail() {
    Cli.Outcome outcome = Cli.run(words("nqm steps --method sgd --batch 1 --target 1e-12 --json"));
    assertThat(outcome.exitCode()).isEqualTo(1);
    assertThat(Cli.parse(outcome.out()).get("results").get(0).get("steps").isNull()).isTrue();
    assertThat(outcome.err()).contains("out of reach with batch size [1.0]");
  }

  @Test
  void riskAgreesWithItsSimulation() {
    JsonNode document =
        Cli.json(
            words(
                "nqm risk --method ema --lr 0.5 --decay 0.9 --batch 8 --power 0.25"
                    + " --steps 0,10,100 --trajectories 500 --json"));
    assertThat(document.get("initial_risk").asDouble()).isCloseTo(4.7025, within(1e-4));
    for (JsonNode row : document.get("results")) {
      assertThat(row.get("risk").asDouble())
          .isCloseTo(
              row.get("simulated_risk").asDouble(),
              within(4 * row.get("standard_error").asDouble()))
          .isLessThanOrEqualTo(row.get("upper_bound").asDouble());
    }
    assertThat(document.get("results").get(0).get("risk")).isEqualTo(document.get("initial_risk"));
  }

  @Test
  void riskPrintsATable() {
    Cli.Outcome outcome = Cli.run(words("nqm risk --method sgd --lr 0.1 --batch 8 --steps 1000"));
    assertThat(outcome.exitCode()).isZero();
    assertThat(outcome.out()).contains("upper bound").contains("at the start 4.7025");
  }

  @Test
  void schedulePrintsTheRates() {
    JsonNode row =
        Cli.json(words("nqm schedule --pieces 10 --batch 4 --json")).get("results").get(0);
    assertThat(row.get("steps_over_bound").asDouble()).isCloseTo(1.67, withinPercentage(2));
    assertThat(row.get("learning_rates")).hasSize(10);
    assertThat(row.get("steps").asLong()).isEqualTo(10 * row.get("steps_per_piece").asLong());
    assertThat(row.get("risk").asDouble()).isLessThan(0.01);
    Cli.Outcome outcome = Cli.run(words("nqm schedule --pieces 3 --batch 1024"));
    assertThat(outcome.out()).contains("learning rates for batch 1024");
  }

  @Test
  void criticalReadsASpectrumFromAFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("h.txt");
    Files.writeString(file, "1\n0.1\n0.01\n");
    String line = "nqm critical --method sgd --spectrum " + file;
    double critical = Cli.json(words(line + " --json")).get("critical_batch_size").asDouble();
    assertThat(critical).isBetween(0.1, 1000.0);
    assertThat(Cli.run(words(line)).out()).startsWith("%.0f ".formatted(critical));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nqm | a subcommand is needed",
        "nqm steps --method sgd --batch 4 --power 1.5 | power must be in [0, 1], not 1.5",
        "nqm steps --method sgd --batch 4 --power -0.1 | power must be in [0, 1], not -0.1",
        "nqm steps --method sgd --batch 0 | batch size must be positive",
        "nqm steps --method sgd --batch four | 'four'",
        "nqm steps --method adam --batch 4 | adam",
        "nqm steps --method sgd | --batch",
        "nqm steps --method sgd --batch 4 --target 0 | target risk must be positive",
        "nqm steps --method momentum --batch 4 --decay 1 | in [0, 1), not 1.0",
        "nqm steps --method ema --batch 4 --decay 0.9 --refine | exclude each other",
        "nqm steps --method sgd --batch 4 --spectrum nowhere.txt | no file nowhere.txt",
        "nqm risk --method sgd --batch 4 --lr 0 --steps 1 | learning rate must be positive",
        "nqm risk --method sgd --batch 4 --lr 2 --steps 1 | 2.0 is unstable",
        "nqm risk --method momentum --decay -1 --batch 4 --lr 1 --steps 1 | not -1.0",
        "nqm risk --method sgd --batch 4 --lr 1 --steps -1 | must not be negative",
        "nqm schedule --pieces 0 --batch 4 | at least one piece",
        "nqm critical --method sgd --target 10 | before the first step",
        "nqm figure 5 --out target/never | there is no figure 5",
        "nqm figure --out target/never | N",
        "nqm figure 2 | --out",
      })
  void badInputIsOneClearLine(String line, String told) {
    Cli.Outcome outcome = Cli.run(words(line));
    assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.err()).contains(told);
  }

  @ParameterizedTest
  @CsvSource({"'', empty", "'1\n-2', line 2", "'x', line 1"})
  void aBadSpectrumIsOneClearLine(String text, String told, @TempDir Path folder)
      throws IOException {
    Path file = folder.resolve("h.txt");
    Files.writeString(file, text);
    Cli.Outcome outcome =
        Cli.run("nqm", "steps", "--method", "sgd", "--batch", "4", "--spectrum", file.toString());
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.err()).contains(told);
  }
}
