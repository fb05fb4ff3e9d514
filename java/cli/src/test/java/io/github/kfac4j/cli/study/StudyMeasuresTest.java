package io.github.kfac4j.cli.study;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.experiments.TinyData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is measured of a trial, on data whose images of validation are the first of training. */
class StudyMeasuresTest extends StudyRuns {
  private static final String SMALL =
      "batch-size --optimizer sgd,sgd-ema --batch 16,40 --trials 2 --repeats 1 --max-steps 40 --lr 0.05:0.1 --ema 0.9"
          + " --target 0.5 --evaluate-every 40";

  @BeforeAll
  static void validateOnTrainingImages() throws IOException {
    Path data = shared.resolve("data");
    TinyData.write(data);
    copyStart(data, "images-idx3-ubyte", 16);
    copyStart(data, "labels-idx1-ubyte", 8);
  }

  private static void copyStart(Path data, String kind, int header) throws IOException {
    byte[] test = Files.readAllBytes(data.resolve("t10k-" + kind));
    ByteBuffer train = ByteBuffer.wrap(Files.readAllBytes(data.resolve("train-" + kind)));
    train.get(header, test, header, test.length - header);
    Files.write(data.resolve("t10k-" + kind), test);
  }

  @Test
  void aGoalOnTrainingImagesIsLookedForThere() throws Exception {
    assertThat(study("validation", SMALL).exitCode()).isZero();
    assertThat(study("train", SMALL + " --target-on train").exitCode()).isZero();
    assertThat(trials("train", "steps.csv")).isEqualTo(trials("validation", "steps.csv"));
    assertThat(trials("train", "steps.csv")).anyMatch(line -> line.contains(",true,false,false,"));
    assertThat(Files.readString(file("train", "report.html")))
        .contains("training accuracy 0.5")
        .doesNotContain("validation accuracy 0.5");
  }

  @Test
  void atTheEndOfTheBudgetTheNetworkIsMeasured() throws Exception {
    assertThat(study("s", SMALL + " --run-to-end").exitCode()).isZero();
    Csv csv = new Csv(trials("s", "steps.csv"));
    List<Map<String, String>> rows =
        Stream.of("sgd", "sgd-ema")
            .flatMap(name -> Stream.of(16, 40).flatMap(batch -> csv.rows(name, batch).stream()))
            .toList();
    for (Map<String, String> row : rows) {
      assertThat(row.get("steps")).as(row.toString()).isEqualTo("40");
      assertThat(row).containsEntry("final_train_loss", row.get("validation_loss"));
      assertThat(row).containsEntry("final_train_accuracy", row.get("validation_accuracy"));
      assertThat(row.get("final_train_loss")).isNotEmpty();
      assertThat(row).containsEntry("test_loss", "").containsEntry("test_accuracy", "");
    }
    Map<String, String> last = rows.get(rows.size() - 1);
    List<String> curves = trials("s", "curves.csv");
    assertThat(curves.get(curves.size() - 1))
        .endsWith(
            ",40,%s,%s".formatted(last.get("validation_loss"), last.get("validation_accuracy")));
  }

  @Test
  void figuresAreMadeAnewFromTheTables() throws Exception {
    assertThat(study("s", SMALL).exitCode()).isZero();
    List<String> made =
        List.of(
            "report.html", "batch-size.png", "averages.png", "speed-up.png", "learning-rates.png");
    Map<String, byte[]> before = new HashMap<>();
    for (String name : made) {
      before.put(name, Files.readAllBytes(file("s", name)));
      Files.delete(file("s", name));
    }
    Cli.Outcome again = Cli.run("study", "report", directory.resolve("s").toString());
    assertThat(again.err()).isEmpty();
    for (String name : made) {
      assertThat(Files.readAllBytes(file("s", name))).as(name).isEqualTo(before.get(name));
    }
    assertThat(Files.readString(file("s", "report.html")))
        .contains("data-panel=", "querySelectorAll");
    assertThat(Cli.run("study", "report", directory.toString()).err())
        .contains("study.json")
        .hasLineCount(1);
  }

  /** Tables alone are enough to go on from, as another machine does. */
  @Test
  void continuesFromTheTablesAlone() throws Exception {
    assertThat(study("s", SMALL.replace("--trials 2", "--trials 1")).exitCode()).isZero();
    try (Stream<Path> files = Files.list(file("s", "trials"))) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    assertThat(study("s", SMALL).exitCode()).isZero();
    assertThat(file("s", "trials/sgd-16-000.json")).doesNotExist();
    assertThat(file("s", "trials/sgd-16-001.json")).exists();
    assertThat(study("whole", SMALL).exitCode()).isZero();
    assertThat(trials("s", "steps.csv")).isEqualTo(trials("whole", "steps.csv"));
    assertThat(trials("s", "curves.csv")).isEqualTo(trials("whole", "curves.csv"));
    Files.writeString(file("s", "steps.csv"), "optimizer,batch\nsgd,16,0\n");
    assertThat(study("s", SMALL).err()).contains("steps.csv line 2 has 3 cells, expected 2");
  }
}
