package io.github.kfac4j.cli.study;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.cli.Cli;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchSizeStudyTest extends StudyRuns {
  private static final String SMALL =
      "batch-size --batch 16,40 --trials 3 --repeats 2 --max-steps 30 --target 0.6"
          + " --evaluate-every 40";

  @Test
  void leavesEveryTrialAChartAndAReport() throws Exception {
    JsonNode json = Cli.json(with(arguments("s", SMALL), "--json"));
    assertThat(json.get("complete").asBoolean()).isTrue();
    assertThat(json.get("optimizers")).hasSize(3);
    Csv csv = new Csv(trials("s", "steps.csv"));
    for (JsonNode optimizer : json.get("optimizers")) {
      for (JsonNode batch : optimizer.get("batches")) {
        List<Map<String, String>> own =
            csv.rows(optimizer.get("name").asText(), batch.get("batch").asInt());
        long best = 30;
        int reached = 0;
        int sound = 0;
        List<Double> runs = new ArrayList<>();
        for (Map<String, String> row : own) {
          boolean reaches = row.get("reached").equals("true");
          if (!row.get("repeat").equals("0")) {
            runs.add(reaches ? Double.valueOf(row.get("steps_to_goal")) : null);
            continue;
          }
          assertThat(Long.parseLong(row.get("steps"))).as(row.toString()).isLessThanOrEqualTo(best);
          sound += row.get("diverged").equals("true") ? 0 : 1;
          if (reaches) {
            reached++;
            best = Math.min(best, Long.parseLong(row.get("steps_to_goal")));
          } else {
            assertThat(row.get("steps_to_goal")).as(row.toString()).isEmpty();
            assertThat(row.get("cut"))
                .as(row.toString())
                .isEqualTo(
                    String.valueOf(
                        reached > 0 && best < 30 && row.get("diverged").equals("false")));
          }
        }
        assertThat(sound).isEqualTo(3);
        assertThat(batch.get("reached").asInt()).isEqualTo(reached);
        assertThat(runs).hasSize(reached > 0 ? 2 : 0);
        assertThat(batch.get("steps_to_goal").isNull())
            .isEqualTo(runs.isEmpty() || runs.contains(null));
      }
    }
    assertThat(ImageIO.read(file("s", "batch-size.png").toFile())).isNotNull();
    assertThat(Files.readString(file("s", "report.html")))
        .contains("critical batch size", "data-panel=")
        .doesNotContain("{{");
  }

  @Test
  void countsStepsAsTrainDoes() throws Exception {
    String command =
        "batch-size --optimizer heavy-ball --batch 16,40 --trials 1 --repeats 0 --lr 0.05 --momentum 0.8"
            + " --target 0.7 --evaluate-every 40 --max-steps 60 --seed 3";
    assertThat(study("s", command).exitCode()).isZero();
    JsonNode train =
        Cli.json(
            with(
                List.of(
                    ("train --model mlp --data mnist --optimizer sgd --batch 40 --lr 0.05"
                            + " --momentum 0.8 --target 0.7 --evaluate-every 1 --steps 60 --seed 3")
                        .split(" ")),
                "--json",
                "--data-dir",
                shared.resolve("data").toString(),
                "--out",
                directory.resolve("train").toString()));
    long steps = train.get("optimizers").get(0).get("steps_to_target").asLong();
    assertThat(steps).isPositive();
    Map<String, String> row = new Csv(trials("s", "steps.csv")).rows("heavy-ball", 40).get(0);
    assertThat(row)
        .containsEntry("learning_rate", "0.05")
        .containsEntry("momentum", "0.8")
        .containsEntry("steps_to_goal", Long.toString(steps));
  }

  @Test
  void continuesAfterKillsWithTheSameTrials() throws Exception {
    assertThat(study("whole", SMALL).exitCode()).isZero();
    stopAfter("trials/kfac-16-001.json", Process::destroyForcibly, 128 + 9);
    assertThat(file("killed", "steps.csv")).doesNotExist();
    byte[] kept = Files.readAllBytes(file("killed", "trials/kfac-16-000.json"));

    // SIGTERM; Ctrl-C's SIGINT takes the same way
    stopAfter("trials/heavy-ball-16-000.json", Process::destroy, 128 + 15);
    assertThat(Files.readString(file("killed", "report.html"))).contains("Interrupted: a partial");
    assertThat(trials("whole", "steps.csv"))
        .startsWith(partial())
        .hasSizeGreaterThan(partial().length);

    assertThat(study("killed", SMALL).exitCode()).isZero();
    assertThat(trials("killed", "steps.csv")).isEqualTo(trials("whole", "steps.csv"));
    assertThat(Files.readAllBytes(file("killed", "trials/kfac-16-000.json"))).isEqualTo(kept);
    assertThat(Files.readString(file("killed", "report.html"))).doesNotContain("Interrupted");
  }

  private String[] partial() throws IOException {
    return trials("killed", "steps.csv").toArray(String[]::new);
  }

  private void stopAfter(String file, Consumer<Process> stop, int exitCode) throws Exception {
    Path log = directory.resolve("log");
    Process process = Cli.start(List.of(), arguments("killed", SMALL), log);
    while (!Files.exists(file("killed", file))) {
      assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
      Thread.sleep(2);
    }
    stop.accept(process);
    assertThat(process.waitFor()).isEqualTo(exitCode);
  }

  /** What is learned up to the cut is what a longer trial learns. */
  @Test
  void schedulesDoNotDependOnWhereATrialIsCut() throws Exception {
    String common =
        "batch-size --optimizer heavy-ball --batch 16,40 --trials 4 --repeats 0 --target 0.6"
            + " --evaluate-every 40 --max-steps 60 --gamma 0.01 --decay-length 0.5 --seed 5";
    assertThat(study("cut", common).exitCode()).isZero();
    assertThat(study("whole", common + " --run-to-end").exitCode()).isZero();
    List<Map<String, String>> cut = new Csv(trials("cut", "steps.csv")).rows("heavy-ball", 16);
    List<Map<String, String>> whole = new Csv(trials("whole", "steps.csv")).rows("heavy-ball", 16);
    assertThat(cut).anyMatch(row -> row.get("cut").equals("true"));
    assertThat(whole).allMatch(row -> row.get("cut").equals("false"));
    assertThat(whole)
        .filteredOn(row -> row.get("diverged").equals("false"))
        .allMatch(row -> row.get("steps").equals("60"));
    for (int i = 0; i < cut.size(); i++) {
      if (cut.get(i).get("reached").equals("true")) {
        assertThat(whole.get(i).get("steps_to_goal")).isEqualTo(cut.get(i).get("steps_to_goal"));
      }
    }
  }

  @Test
  void moreTrialsAndBatchSizesCanBeAddedLater() throws Exception {
    String first = "batch-size --optimizer sgd --batch 16,40 --trials 1 --max-steps 20";
    String all = "batch-size --optimizer sgd,adam --batch 16,20,40 --trials 3 --max-steps 20";
    assertThat(study("grown", first).exitCode()).isZero();
    assertThat(study("grown", all).exitCode()).isZero();
    assertThat(study("whole", all).exitCode()).isZero();
    assertThat(trials("grown", "steps.csv")).isEqualTo(trials("whole", "steps.csv"));
  }

  @Test
  void refusesTheFolderOfAnotherStudy() throws Exception {
    String command = "--optimizer sgd --batch 16,40 --max-steps 3";
    assertThat(study("s", "batch-size --trials 1 " + command).exitCode()).isZero();
    assertRefused("its --target is 0.8 and not 0.9", "batch-size --target 0.9 " + command);
    assertRefused("its --seed is 1 and not 2", "batch-size --seed 2 " + command);
    assertRefused("its search of sgd is", "batch-size --lr sgd=0.1:1 " + command);
    assertRefused("its study is batch-size and not sensitivity", "sensitivity " + command);
    Files.writeString(file("s", "trials/sgd-16-000.json"), "{");
    assertRefused("sgd-16-000.json is damaged", "batch-size --trials 1 " + command);
  }

  private void assertRefused(String reason, String command) {
    Cli.Outcome outcome = study("s", command);
    assertThat(outcome.err()).contains(reason);
    assertThat(outcome.exitCode()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "batch-size --repeats -1 | --repeats must not be negative, got -1",
        "batch-size --divergence 0.5 | --divergence must be at least 1, got 0.5",
        "batch-size --gamma 0.1:1 | --gamma and --decay-length belong together",
        "batch-size --optimizer sgd --ema 0.9 --momentum sgd=0.9 | --momentum has no effect on sgd",
        "batch-size --budget hours:3 | --budget: unknown 'hours'",
        "batch-size --jobs 0 | --jobs must be positive, got 0",
        "batch-size --trials 0 | --trials must be positive, got 0",
        "batch-size --batch 16 | --batch needs two batch sizes",
        "batch-size --batch 16,16 | --batch repeats a value",
        "batch-size --batch 0,16 | --batch must be positive, got 0",
        "batch-size --batch 16,161 | --batch 161 is more than the 160 training images",
        "batch-size --target 1.5 | --target must be an accuracy",
        "batch-size --target 0.5 --target-loss 1 | exclude each other",
        "batch-size --model autoencoder | give its goal by --target-loss",
        "batch-size --max-steps 0 | --budget: steps must be positive",
        "batch-size --max-epochs -1 | --budget: epochs must be positive",
        "batch-size --evaluate-every 0 | --evaluate-every must be positive",
        "batch-size --lr 1:0.1 | --lr must be a value or LOW:HIGH",
        "batch-size --momentum adam=0.9 | --momentum has no effect on adam",
        "batch-size --optimizer newton | --optimizer: unknown 'newton'",
        "batch-size --batch 16,40 --kfac fisher=best | --kfac",
        "sensitivity --grid 1 | --grid must be at least 2",
        "sensitivity --momentum 0:0.9 | a grid of kfac has at most two dimensions",
      })
  void badOptionsGetOneLine(String command, String reason) {
    Cli.Outcome outcome = study("s", command);
    assertThat(outcome.err()).contains(reason).hasLineCount(1);
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(directory.resolve("s")).doesNotExist();
  }

  private static String[] with(List<String> arguments, String... more) {
    List<String> all = new ArrayList<>(arguments);
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }
}
