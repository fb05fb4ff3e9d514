package io.github.kfac4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.cli.common.KnownBackends;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code train} refuses, and how. */
class TrainRefusalTest extends TrainRuns {
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
        "--lr sgd=1,2 | --lr: '2' is not NAME=VALUE",
        "--damping 0 | --damping of kfac must be positive, got 0.0",
        "--damping NaN | --damping of kfac must be positive, got NaN",
        "--target 1.1 | --target must be an accuracy in (0, 1], got 1.1",
        "--evaluate-every -1 | --evaluate-every must not be negative, got -1",
        "--checkpoint-every -1 | --checkpoint-every must not be negative, got -1",
        "--optimizer kfac,lion | --optimizer: unknown 'lion'; known are [kfac, ekfac, diagonal,"
            + " sgd, adam]",
        "--optimizer sgd,sgd | --optimizer repeats an optimizer: [sgd, sgd]",
        "--kfac fisher=true | --kfac: fisher must be empirical, mc, exact or curvature-prop",
        "--kfac speed=1 | --kfac: unknown 'speed'; known are [fisher, convention, damping-mode,",
        "--kfac intervals=3 | --kfac: intervals must be two numbers, A:B",
        "--kfac intervals=0:1 | --kfac: factor interval must be positive but is 0",
        "--kfac stale=0.1,intervals=1:1 | --kfac: stale finds the intervals",
        "--kfac stale=2 | --kfac: similarity must be in (0, 1) but is 2.0",
        "--kfac lm=5,warm-up=1:10 | --kfac: lm, warm-up and --damping-schedule are all rules",
        "--kfac lm=5 --damping-schedule linear:0.1 | --kfac: lm, warm-up and --damping-schedule",
        "--kfac warm-up=1:9 --damping-schedule 0.5=2 | --kfac: lm, warm-up and --damping-schedule",
        "--kfac lm-bounds=1:2 | --kfac: lm-bounds belongs to lm",
        "--kfac lm=5,lm-bounds=1:2 | --kfac: Levenberg-Marquardt damping needs initial within",
        "--kfac lm=five | --kfac: lm must be a number but is five",
        "--kfac decay=1 | --kfac: decay must be in [0, 1) but is 1.0",
        "--kfac convention=pytorch | --kfac: unknown convention 'pytorch'; known are [kfc,",
        "--kfac convention=kfac-pytorch --optimizer ekfac | --kfac: convention must be another one",
        "--kfac damping-mode=full | --kfac: damping-mode must be one of [factored, exact] but is"
            + " full",
        "--kfac inverse=lu | --kfac: inverse must be one of [cholesky, eigen, newton-schulz] but is"
            + " lu",
        "--kfac inverse=eigen,damping-mode=exact | --kfac: inverse is about damped factors",
        "--kfac memory=update,momentum-first=true | --kfac: momentum before preconditioning must",
        "--kfac quadratic=rate,memory=update | --kfac: quadratic finds learning rate and momentum",
        "--kfac flattened=doubly-factored --model mlp | --kfac: flattened is about a fully"
            + " connected",
        "--kfac intervals=4:4 --optimizer ekfac | --kfac: EKFAC measures its moments between",
        "--kfac stale=0.1 --optimizer ekfac | --kfac: EKFAC measures its moments between refreshes",
        "--momentum 1 | --momentum of kfac must be in [0, 1), got 1.0",
        "--momentum adam=0.5 | --momentum of adam is fixed",
        "--momentum-schedule 0.5=2 | --momentum-schedule must stay below 1, but gives 1.8 in step"
            + " 51",
        "--momentum-schedule x | --momentum-schedule 'x': known are constant, linear:0.1",
        "--damping-schedule 0.5=0 | --damping-schedule must stay positive, but gives 0.0 in step"
            + " 51",
        "--kfac gamma=5 | --kfac: gamma belongs to lm",
        "--kfac warm-up=1:2 | --kfac: a schedule needs more than 2 log10(initial / target) steps",
        "--kfac quadratic=true,momentum-first=true | --kfac: quadratic finds learning rate and",
        "--kfac quadratic=yes | --kfac: quadratic must be true, rate (without momentum) or false"
            + " but is yes",
        "--kfac micro-batches=3 | micro-batches must divide the batch of 40, got 3",
        "--kfac micro-batches=2,lm=5 | --kfac: lm and quadratic measure the whole batch",
        "--kfac kl-clip=-1 | --kfac: KL clip must be positive but is -1.0",
        "--kfac examples=0 | --kfac: number of examples for the factors must be positive but is 0",
        "--lr-schedule fast | --lr-schedule 'fast': known are constant, linear:0.1",
        "--lr-schedule 2=0.1 | --lr-schedule '2=0.1': 2 is not a fraction of the run",
        "--weight-decay 0.1 | --weight-decay '0.1': known are l2=1e-4 and decoupled=1e-4",
        "--weight-decay l2=-1 | --weight-decay 'l2=-1': weight decay must not be negative",
        "--average 1 | --average must be in [0, 1), got 1.0",
        "--damping sgd=1 | --damping has no effect on sgd",
        "--target-loss 0 | --target-loss must be positive, got 0.0",
        "--target 0.5 --target-loss 1 | --target and --target-loss exclude each other",
        "--model autoencoder --target 0.5 | --target is an accuracy, which autoencoder does not"
            + " have",
        "--model vgg | --model: unknown 'vgg'; known are [simple-cnn, narrow-cnn, mlp, resnet8,",
        "--data imagenet | --data: unknown 'imagenet'; known are [fashion-mnist, mnist, cifar10, svhn,",
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
}
