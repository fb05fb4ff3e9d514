package io.github.kfac4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.experiments.TinyData;
import io.github.kfac4j.safetensors.TensorFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class TrainCommandTest extends TrainRuns {
  @Test
  void comparesTheOptimizersAndLeavesEverythingBehind() throws IOException {
    Cli.Outcome outcome =
        train("--model simple-cnn --batch 40 --steps 12 --evaluate-every 5 --lr adam=0.003 --json");
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();

    JsonNode json = new ObjectMapper().readTree(outcome.out());
    assertThat(json.get("train_images").asInt()).isEqualTo(160);
    assertThat(json.get("backend").asText()).isIn("java", "cpu", "cuda"); // not "auto"
    assertThat(json.get("optimizers")).hasSize(3);
    for (JsonNode optimizer : json.get("optimizers")) {
      assertThat(optimizer.get("steps").asInt()).isEqualTo(12);
      assertThat(optimizer.get("failure").isNull()).isTrue();
      assertThat(optimizer.get("train_loss").asDouble()).isBetween(0.0, 3.0);
      JsonNode times = optimizer.get("step_milliseconds");
      assertThat(times.get("forward").asDouble()).isPositive();
      boolean kfac = optimizer.get("name").asText().equals("kfac");
      assertThat(times.get("kfac_mean").asDouble() > 0).isEqualTo(kfac);
    }
    assertThat(json.get("optimizers").get(2).get("learning_rate").asDouble()).isEqualTo(0.003);

    checkMetrics(Files.readAllLines(run("metrics.csv")));
    BufferedImage curves = ImageIO.read(run("curves.png").toFile());
    assertThat(curves.getWidth()).isEqualTo(3040);
    checkReport(Files.readString(run("report.html")));
    for (String name : List.of("kfac", "sgd", "adam")) {
      TensorFile checkpoint = TensorFile.read(run("checkpoints/" + name + ".safetensors"));
      assertThat(checkpoint.metadata()).containsEntry("step", "12");
      assertThat(checkpoint.tensors()).containsKey("weights.01Conv2d_weight");
    }
    assertThat(outcome.err()).contains("160 training and 40 validation images", "K-FAC 10/12");
  }

  private static void checkMetrics(List<String> lines) {
    assertThat(lines.get(0))
        .isEqualTo(
            "optimizer,step,epoch,seconds,train_loss,train_accuracy,"
                + "validation_loss,validation_accuracy");
    assertThat(lines).hasSize(1 + 3 * 12);
    List<Double> first = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",", -1);
      assertThat(cells).hasSize(8);
      int step = Integer.parseInt(cells[1]);
      boolean evaluated = step % 5 == 0 || step == 12;
      assertThat(cells[6].isEmpty()).isEqualTo(!evaluated);
      assertThat(cells[7].isEmpty()).isEqualTo(!evaluated);
      assertThat(Double.parseDouble(cells[2])).isEqualTo(step / 4.0);
      if (step == 1) {
        first.add(Double.parseDouble(cells[4]));
      }
    }
    // the same weights on the same batch
    assertThat(first).hasSize(3).allMatch(loss -> loss.equals(first.get(0)));
  }

  private static void checkReport(String html) {
    assertThat(html)
        .startsWith("<!DOCTYPE html>")
        .contains("simple-cnn on fashion-mnist", "K-FAC adds", "data:image/png;base64,iVBOR")
        .contains("<td>SGD</td><td>0.0300</td><td>12</td>")
        .doesNotContain("{{", "http:", "https:", "<script", "Interrupted");
  }

  @Test
  void stopsAtTheTargetAndSaysWhen() throws IOException {
    Cli.Outcome outcome =
        train(
            "--model mlp --optimizer adam --batch 40 --steps 200 --evaluate-every 4 --target 0.5");
    assertThat(outcome.exitCode()).isZero();
    long steps = Files.readAllLines(run("metrics.csv")).size() - 1;
    assertThat(steps).isLessThan(200);
    assertThat(outcome.out()).contains("steps to 50.0 %").contains("report: ");
    assertThat(outcome.out().lines().toList().get(1))
        .startsWith("Adam")
        .containsPattern(" " + steps + " +[0-9.]+$");
  }

  @Test
  void anAutoencoderIsJudgedByItsLoss() throws IOException {
    Cli.Outcome outcome =
        train(
            "--model autoencoder --optimizer kfac,ekfac,diagonal,adam --batch 40 --steps 60"
                + " --evaluate-every 5 --target-loss 42 --json");
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    JsonNode json = new ObjectMapper().readTree(outcome.out());
    assertThat(json.get("target_loss").asDouble()).isEqualTo(42);
    for (JsonNode optimizer : json.get("optimizers")) {
      // 64 pixels of maximal entropy have 44.4 nats
      assertThat(optimizer.get("validation_loss").asDouble()).isBetween(30.0, 42.0);
      assertThat(optimizer.get("validation_accuracy").isNull()).isTrue();
      assertThat(optimizer.get("steps_to_target").asInt()).isBetween(5, 60);
      assertThat(optimizer.get("seconds_to_target").asDouble()).isPositive();
    }
    assertThat(Files.readAllLines(run("metrics.csv")).get(5)).matches("kfac,5,.*,,[0-9.]+,");
    assertThat(Files.readString(run("report.html"))).contains("Validation loss – K-FAC: ");
  }

  @Test
  void epochsAreSteps() throws IOException {
    assertThat(train("--model mlp --optimizer sgd --batch 50 --epochs 2").exitCode()).isZero();
    // 160 / 50 = 3 full batches
    assertThat(Files.readAllLines(run("metrics.csv"))).hasSize(1 + 6);
  }

  @Test
  void aResidualNetworkTrainsOnColourImages() throws IOException {
    Path cifar = TinyData.writeCifar(directory.resolve("cifar"), 10);
    Cli.Outcome outcome =
        Cli.run(
            "train",
            "--data",
            "cifar10",
            "--data-dir",
            cifar.toString(),
            "--model",
            "resnet8",
            "--batch",
            "25",
            "--epochs",
            "3",
            "--lr-schedule",
            "linear:0.1",
            "--out",
            directory.resolve("run").toString(),
            "--json");
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    JsonNode json = tree(outcome.out());
    assertThat(json.get("train_images").asInt()).isEqualTo(50);
    for (JsonNode optimizer : json.get("optimizers")) {
      assertThat(optimizer.get("steps").asInt()).isEqualTo(6);
      assertThat(optimizer.get("train_loss").asDouble()).isBetween(1.0, 3.0);
    }
  }

  @Test
  void aDivergingOptimizerIsReportedAndTheOthersGoOn() throws IOException {
    Cli.Outcome outcome =
        train("--model mlp --optimizer sgd,adam --batch 40 --steps 60 --lr sgd=1e20 --json");
    assertThat(outcome.exitCode()).isEqualTo(1);
    assertThat(outcome.err()).containsPattern("kfac train: sgd diverged: the loss is not finite");
    JsonNode json = new ObjectMapper().readTree(outcome.out());
    JsonNode sgd = json.get("optimizers").get(0);
    assertThat(sgd.get("failure").asText()).startsWith("diverged");
    assertThat(sgd.get("train_loss").isNull()).isTrue();
    assertThat(json.get("optimizers").get(1).get("steps").asInt()).isEqualTo(60);
    assertThat(Files.readString(run("report.html"))).contains("SGD – diverged");
  }

  @Test
  void aFolderWithARunIsNotOverwritten() {
    assertThat(train("--model mlp --optimizer sgd --batch 40 --steps 1").exitCode()).isZero();
    Cli.Outcome again = train("--model mlp --optimizer sgd --batch 40 --steps 1");
    assertThat(again.exitCode()).isEqualTo(2);
    assertThat(again.err()).contains("already holds a run").hasLineCount(1);
  }
}
