package io.github.kfac4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.cli.KnownBackends;
import io.github.kfac4j.safetensors.TensorFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainCommandTest {
  @TempDir static Path shared;
  @TempDir Path directory;

  @BeforeAll
  static void data() throws IOException {
    TinyData.write(shared.resolve("data"));
  }

  private Cli.Outcome train(String arguments) {
    List<String> all = new ArrayList<>(List.of("train"));
    all.addAll(List.of("--data-dir", shared.resolve("data").toString()));
    all.addAll(List.of("--out", directory.resolve("run").toString()));
    all.addAll(List.of(arguments.split(" ")));
    return Cli.run(all.toArray(String[]::new));
  }

  private Path run(String file) {
    return directory.resolve("run").resolve(file);
  }

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
  void everySettingOfKfacTrains() {
    List<String> settings =
        List.of(
            "fisher=mc,kl-clip=0.01,intervals=2:4",
            "fisher=exact,examples=20",
            "fisher=curvature-prop,stale=0.1,burn-in=3",
            "micro-batches=4,momentum-first=true,warm-up=1:20",
            "quadratic=true,lm=2,gamma=4,rescale=true");
    for (int i = 0; i < settings.size(); i++) {
      Cli.Outcome outcome =
          Cli.run(
              "train",
              "--data-dir",
              shared.resolve("data").toString(),
              "--out",
              directory.resolve("run" + i).toString(),
              "--model",
              "mlp",
              "--optimizer",
              "kfac,ekfac,diagonal",
              "--batch",
              "40",
              "--steps",
              "30",
              "--json",
              "--kfac",
              settings.get(i));
      assertThat(outcome.exitCode()).as(outcome.err()).isZero();
      for (JsonNode optimizer : tree(outcome.out()).get("optimizers")) {
        assertThat(optimizer.get("train_loss").asDouble())
            .as(settings.get(i) + ": " + optimizer)
            .isLessThan(1.5);
      }
    }
  }

  private static JsonNode tree(String json) {
    try {
      return new ObjectMapper().readTree(json);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
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

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--batch 0 | --batch must be positive, got 0",
        "--batch 161 | --batch 161 is more than the 160 training images",
        "--batch x | Invalid value for option '--batch'",
        "--steps 0 | --steps must be positive, got 0",
        "--epochs -1 | --epochs must be positive, got -1",
        "--steps 1 --epochs 1 | mutually exclusive",
        "--lr 0 | --lr of kfac must be positive, got 0.0",
        "--lr sgd=-1 | --lr of sgd must be positive, got -1.0",
        "--lr fast | --lr: 'fast' is not a number",
        "--lr lion=1 | --lr: unknown 'lion'; known are [kfac, ekfac, diagonal, sgd, adam]",
        "--lr sgd=1,2 | --lr: '2' is not NAME=NUMBER",
        "--damping 0 | --damping of kfac must be positive, got 0.0",
        "--damping NaN | --damping of kfac must be positive, got NaN",
        "--target 1.1 | --target must be an accuracy in (0, 1], got 1.1",
        "--evaluate-every -1 | --evaluate-every must not be negative, got -1",
        "--checkpoint-every -1 | --checkpoint-every must not be negative, got -1",
        "--optimizer kfac,lion | --optimizer: unknown 'lion'; known are [kfac, ekfac, diagonal, sgd, adam]",
        "--optimizer sgd,sgd | --optimizer repeats an optimizer: [sgd, sgd]",
        "--kfac fisher=true | --kfac: fisher must be empirical, mc, exact or curvature-prop",
        "--kfac speed=1 | --kfac: unknown 'speed'; known are [fisher, intervals, stale, burn-in,",
        "--kfac intervals=3 | --kfac: intervals must be two numbers, A:B",
        "--kfac intervals=0:1 | --kfac: factor interval must be positive but is 0",
        "--kfac stale=0.1,intervals=1:1 | --kfac: stale finds the intervals",
        "--kfac stale=2 | --kfac: similarity must be in (0, 1) but is 2.0",
        "--kfac lm=5,warm-up=1:10 | --kfac: lm and warm-up are both rules for the damping",
        "--kfac gamma=5 | --kfac: gamma belongs to lm",
        "--kfac warm-up=1:2 | --kfac: a schedule needs more than 2 log10(initial / target) steps",
        "--kfac quadratic=true,momentum-first=true | --kfac: quadratic finds learning rate and",
        "--kfac quadratic=yes | --kfac: quadratic must be true or false but is yes",
        "--kfac micro-batches=3 | micro-batches must divide the batch of 40, got 3",
        "--kfac micro-batches=2,lm=5 | --kfac: lm and quadratic measure the whole batch",
        "--kfac kl-clip=-1 | --kfac: KL clip must be positive but is -1.0",
        "--kfac examples=0 | --kfac: number of examples for the factors must be positive but is 0",
        "--lr-schedule fast | --lr-schedule 'fast': known are constant, linear:0.1",
        "--lr-schedule 2=0.1 | --lr-schedule '2=0.1': 2 is not a fraction of the run",
        "--weight-decay 0.1 | --weight-decay '0.1': known are l2=1e-4 and decoupled=1e-4",
        "--weight-decay l2=-1 | --weight-decay 'l2=-1': weight decay must not be negative",
        "--average 1 | --average must be in [0, 1), got 1.0",
        "--damping sgd=1 | --damping of sgd has no use",
        "--target-loss 0 | --target-loss must be positive, got 0.0",
        "--target 0.5 --target-loss 1 | --target and --target-loss exclude another",
        "--model autoencoder --target 0.5 | --target is an accuracy, which autoencoder has not",
        "--model vgg | --model: unknown 'vgg'; known are [simple-cnn, mlp, resnet8, autoencoder]",
        "--data imagenet | --data: unknown 'imagenet'; known are [fashion-mnist, mnist, cifar10]",
        "--backend tpu | unknown backend 'tpu'; known are [java, cpu, cuda]",
        "--data-dir /nonexistent | --data-dir /nonexistent is not a directory",
        "--data cifar10 | has no file data_batch_1.bin",
        "--resume | nothing to resume: ",
        "--out /dev/null/x | --out /dev/null/x cannot be written: ",
      })
  void badInputIsOneLineExitCode2AndNothingWritten(String arguments, String reason) {
    List<String> all =
        new ArrayList<>(List.of("train", "--data", "mnist", "--out", run("").toString()));
    if (!arguments.contains("--data-dir")) {
      all.addAll(List.of("--data-dir", shared.resolve("data").toString()));
    }
    if (!arguments.contains("--batch")) {
      all.addAll(List.of("--batch", "40"));
    }
    Map.of("--data", 2, "--out", 2)
        .forEach(
            (option, words) -> {
              if (List.of(arguments.split(" ")).contains(option)) {
                int at = all.indexOf(option);
                all.subList(at, at + words).clear();
              }
            });
    all.addAll(List.of(arguments.split(" ")));
    Cli.Outcome outcome = Cli.run(all.toArray(String[]::new));
    assertThat(outcome.err()).startsWith("kfac train: ").contains(reason).hasLineCount(1);
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void anUnavailableBackendIsExitCode3() {
    // whether cuda is there depends on the machine, that it answers by exit code 3 does not
    List<String> unavailable =
        KnownBackends.all().stream()
            .filter(backend -> !backend.available())
            .map(KnownBackends.Availability::name)
            .toList();
    for (String name : unavailable) {
      Cli.Outcome outcome = train("--model mlp --batch 40 --backend " + name);
      assertThat(outcome.exitCode()).isEqualTo(3);
      assertThat(outcome.err()).contains("backend '" + name + "' is not").hasLineCount(1);
      assertThat(directory).isEmptyDirectory();
    }
  }

  @Test
  void aFolderWithARunIsNotOverwritten() {
    assertThat(train("--model mlp --optimizer sgd --batch 40 --steps 1").exitCode()).isZero();
    Cli.Outcome again = train("--model mlp --optimizer sgd --batch 40 --steps 1");
    assertThat(again.exitCode()).isEqualTo(2);
    assertThat(again.err()).contains("already holds a run").hasLineCount(1);
  }
}
