package io.github.kfac4j.cli.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.cli.Cli;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpectrumStudyTest extends StudyRuns {
  private static final String SMALL =
      "spectrum --model mlp --at 3 --batch 40 --examples 4 --target-loss 0.2";

  @Test
  void measuresSpectraThatTheModelReads() throws Exception {
    List<String> arguments = new ArrayList<>(arguments("s", SMALL));
    arguments.add("--json");
    JsonNode json = Cli.json(arguments.toArray(String[]::new));
    JsonNode last = json.get("optimizers").get(0);
    assertThat(last.get("step").asLong()).isEqualTo(3);
    assertThat(last.get("dimension").asLong()).isEqualTo(256 * 65 + 256 * 257 + 10 * 257);
    String spectrum = file("s", "spectrum-3.txt").toString();
    JsonNode critical =
        Cli.json(
            "nqm",
            "critical",
            "--method",
            "momentum",
            "--target",
            "0.2",
            "--json",
            "--spectrum",
            spectrum);
    assertThat(last.get("predicted_critical_batch").get("heavy-ball").asDouble())
        .isEqualTo(critical.get("critical_batch_size").asDouble());
    // the model starts at the loss of the step, but for the eigenvalues between kept ranks
    JsonNode risk =
        Cli.json(
            "nqm",
            "risk",
            "--method",
            "sgd",
            "--lr",
            "1e-9",
            "--batch",
            "64",
            "--steps",
            "1",
            "--json",
            "--spectrum",
            spectrum);
    assertThat(risk.findValue("risk").asDouble())
        .isCloseTo(last.get("loss").asDouble(), within(0.05 * last.get("loss").asDouble()));

    Map<String, byte[]> before = new HashMap<>();
    for (String name : List.of("report.html", "spectra.png", "directions.png", "spectrum-3.txt")) {
      before.put(name, Files.readAllBytes(file("s", name)));
      Files.delete(file("s", name));
    }
    assertThat(Cli.run("study", "report", file("s", "").toString()).exitCode()).isZero();
    for (Map.Entry<String, byte[]> one : before.entrySet()) {
      assertThat(Files.readAllBytes(file("s", one.getKey()))).isEqualTo(one.getValue());
    }
    Cli.Outcome verdicts =
        Cli.run(
            "study",
            "verdicts",
            file("s", "").toString(),
            "--out",
            directory.resolve("verdicts.md").toString());
    assertThat(verdicts.out()).contains("the spectrum of the Fisher is close to 1/i");
    assertThat(Files.readString(directory.resolve("verdicts.md")))
        .startsWith("| claim | verdict |");
    byte[] table = Files.readAllBytes(file("s", "spectrum.csv"));
    Cli.Outcome replacing =
        Cli.run(
            "study",
            "verdicts",
            file("s", "").toString(),
            "--out",
            file("s", "spectrum.csv").toString());
    assertThat(replacing.err()).hasLineCount(1).contains("is the input", "spectrum.csv");
    assertThat(replacing.exitCode()).isEqualTo(2);
    assertThat(file("s", "spectrum.csv")).hasBinaryContent(table);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "spectrum --at 0,5 | --at must be ascending steps",
        "spectrum --at 5,2 | --at must be ascending steps",
        "spectrum --examples 1 | --examples must be at least 2",
        "spectrum --examples 161 --batch 40 | --examples 161 is more than the 160 training images",
        "spectrum --batch 161 | --batch 161 is more than the 160 training images",
        "spectrum --target 0.5 | use --target-loss",
        "spectrum --kfac fisher=best | --kfac",
      })
  void badOptionsGetOneLine(String command, String reason) {
    Cli.Outcome outcome = study("s", command);
    assertThat(outcome.err()).contains(reason).hasLineCount(1);
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(directory.resolve("s")).doesNotExist();
  }
}
