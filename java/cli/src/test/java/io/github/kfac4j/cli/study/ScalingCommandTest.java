package io.github.kfac4j.cli.study;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.cli.Cli;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScalingCommandTest {
  /** Round numbers of the size of a GPU cluster's; assumed, not measured. */
  private static final String ASSUMED =
      """
      {"name": "assumed", "images": 32, "flops_per_second": 1e13,
       "inverse_seconds": {"64": 5e-4, "512": 1.5e-3, "1024": 4e-3, "2048": 1.2e-2, "4608": 7e-2},
       "latency_seconds": 1e-5, "bytes_per_second": 1e10}
      """;

  @TempDir Path directory;

  @Test
  void theShapeIsThatOfOsawaEtAl() throws IOException {
    Path file = Files.writeString(directory.resolve("cluster.json"), ASSUMED);
    Path out = directory.resolve("out");
    JsonNode result =
        Cli.json(
            "study", "scaling", "--cluster", file.toString(), "--out", out.toString(), "--json");
    assertThat(result.at("/cluster/name").asText()).isEqualTo("assumed");
    // layers as they assign them: falls until about 64 ranks, then the network dominates
    assertThat(result.at("/fastest_ranks/contiguous").asInt()).isEqualTo(64);
    JsonNode first = result.at("/predictions/0");
    JsonNode last = result.at("/predictions/10");
    assertThat(last.get("ranks").asInt()).isEqualTo(1024);
    assertThat(last.get("network_seconds").asDouble())
        .isGreaterThan(last.get("inversion_seconds").asDouble());
    assertThat(last.get("seconds").asDouble()).isLessThan(first.get("seconds").asDouble());
    assertThat(Files.readAllLines(out.resolve("scaling.csv"))).hasSize(1 + 3 * 11);
    assertThat(out.resolve("scaling.png")).isNotEmptyFile();

    // what it used can be read again
    JsonNode again =
        Cli.json(
            "study",
            "scaling",
            "--cluster",
            out.resolve("cluster.json").toString(),
            "--out",
            out.toString(),
            "--json");
    assertThat(again).isEqualTo(result);
  }

  @Test
  void measuresThisMachine() {
    Path out = directory.resolve("out");
    JsonNode result =
        Cli.json(
            "study",
            "scaling",
            "--backend",
            "java",
            "--largest-inverse",
            "64",
            "--out",
            out.toString(),
            "--json");
    assertThat(result.at("/cluster/name").asText())
        .isEqualTo("measured here: backend java, 2 ranks by threads");
    assertThat(result.at("/cluster/flops_per_second").asDouble()).isPositive();
    assertThat(result.at("/cluster/latency_seconds").asDouble()).isPositive();
    assertThat(result.at("/cluster/bytes_per_second").asDouble()).isPositive();
    assertThat(result.at("/cluster/inverse_seconds/64").asDouble()).isPositive();
  }

  @Test
  void badClustersAreRefused() throws IOException {
    assertRefused(ASSUMED.replace("1e13", "0"), "flops_per_second must be positive, got 0.0");
    assertRefused(ASSUMED.replace("\"images\": 32,", ""), "images");
    assertRefused(ASSUMED.replace("\"64\": 5e-4,", "\"64\": -1,"), "64: -1.0");
    assertRefused("{", "Unexpected end-of-input");
    Cli.Outcome missing = Cli.run("study", "scaling", "--cluster", "nowhere.json");
    assertThat(missing.exitCode()).isEqualTo(2);
    assertThat(missing.err()).contains("nowhere.json cannot be read");
  }

  private void assertRefused(String json, String reason) throws IOException {
    Path file = Files.writeString(directory.resolve("bad.json"), json);
    Cli.Outcome outcome = Cli.run("study", "scaling", "--cluster", file.toString());
    assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(2);
    assertThat(outcome.err()).contains(reason);
  }
}
