package io.github.kfac4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.experiments.TinyData;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The narrow Transformer on a small text, by every command that trains. */
class LanguageModelTest {
  private static final List<String> OPTIMIZERS =
      List.of("kfac", "ekfac", "diagonal", "sgd", "adam");

  @TempDir static Path shared;
  @TempDir Path directory;

  @BeforeAll
  static void data() throws IOException {
    TinyData.writeText(shared.resolve("text"));
  }

  private Cli.Outcome run(String command, String folder) {
    List<String> all = new ArrayList<>(List.of(command.split(" ")));
    all.addAll(List.of("--model", "narrow-transformer"));
    all.addAll(List.of("--data-dir", shared.resolve("text").toString()));
    all.addAll(List.of("--out", directory.resolve(folder).toString()));
    return Cli.run(all.toArray(String[]::new));
  }

  @Test
  void everyOptimizerTrainsItAndItsPerplexityIsTold() throws IOException {
    Cli.Outcome outcome =
        run(
            "train --batch 8 --steps 40 --evaluate-every 20 --json --optimizer "
                + String.join(",", OPTIMIZERS),
            "run");
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    assertThat(outcome.err()).contains("validation sequences (one line in 20", "sequences/s");
    JsonNode json = TrainRuns.tree(outcome.out());
    assertThat(json.get("train_sequences").asInt()).isGreaterThan(100);
    for (JsonNode optimizer : json.get("optimizers")) {
      double loss = optimizer.get("validation_loss").asDouble();
      assertThat(loss).as(optimizer.toString()).isLessThan(6.6); // from ln 1024 = 6.93
      assertThat(optimizer.get("validation_perplexity").asDouble())
          .isCloseTo(Math.exp(loss), within(1e-9 * Math.exp(loss)));
    }
    String report = Files.readString(directory.resolve("run/report.html"));
    assertThat(report)
        .contains("narrow-transformer on text", "Validation loss – K-FAC: ")
        .contains("<th>perplexity</th>", "8 sequences");
  }

  @Test
  void continuesWithTheSameBits() throws IOException {
    String command =
        "train --batch 8 --evaluate-every 3 --optimizer %s --steps "
            .formatted(String.join(",", OPTIMIZERS));
    assertThat(run(command + 6, "whole").exitCode()).isZero();
    assertThat(run(command + 3, "parts").exitCode()).isZero();
    Cli.Outcome resumed =
        Cli.run("train", "--resume", directory.resolve("parts").toString(), "--steps", "6");
    assertThat(resumed.exitCode()).as(resumed.err()).isZero();
    for (String optimizer : OPTIMIZERS) {
      assertThat(state("parts", optimizer)).isEqualTo(state("whole", optimizer));
    }
  }

  private Map<String, StoredTensor> state(String folder, String optimizer) throws IOException {
    Path file = directory.resolve(folder + "/checkpoints/" + optimizer + ".safetensors");
    TensorFile stored = TensorFile.read(file);
    assertThat(stored.metadata()).containsEntry("step", "6");
    return stored.tensors().entrySet().stream()
        .filter(tensor -> !tensor.getKey().startsWith("history.")) // holds times
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  @Test
  void studiesTrainItToALoss() throws IOException {
    String study =
        "study batch-size --optimizer kfac,adam-ema --batch 8,16 --trials 2 --repeats 1"
            + " --max-steps 8 --evaluate-every 32 --target-loss 6.7 --target-on ";
    for (String part : List.of("train", "validation")) {
      Cli.Outcome outcome = run(study + part, part);
      assertThat(outcome.exitCode()).as(outcome.err()).isZero();
      assertThat(Files.readString(directory.resolve(part + "/report.html")))
          .contains((part.equals("train") ? "training" : part) + " loss 6.7");
      assertThat(Files.readAllLines(directory.resolve(part + "/steps.csv")))
          .hasSizeGreaterThanOrEqualTo(1 + 2 * 2 * 2);
    }
    Cli.Outcome report = Cli.run("study", "report", directory.resolve("train").toString());
    assertThat(report.exitCode()).as(report.err()).isZero();
  }

  @Test
  void whatDoesNotFitIsRefusedInOneLine() {
    assertRefused(
        Cli.run("train", "--model", "narrow-transformer"),
        "--data text: name its folder with --data-dir");
    assertRefused(
        run("train --data fashion-mnist", "x"),
        "--model narrow-transformer reads text, but --data fashion-mnist is images");
    assertRefused(
        Cli.run("train", "--model", "mlp", "--data", "text"),
        "--model mlp reads images, but --data text is text");
    assertRefused(
        run("train --augment true --batch 8", "x"),
        "--augment: narrow-transformer reads text, which is not augmented");
    assertRefused(
        run("study batch-size", "x"),
        "narrow-transformer is not judged by its accuracy: give its goal by --target-loss");
    assertRefused(
        run("study spectrum --batch 8 --at 1", "x"),
        "--model narrow-transformer: the Fisher is measured over the classes of images, which it"
            + " does not have");
    assertThat(directory.resolve("x")).doesNotExist();
  }

  private static void assertRefused(Cli.Outcome outcome, String message) {
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.err()).contains(message).hasLineCount(1);
  }
}
