package io.github.kfac4j.cli.train;

import static io.github.kfac4j.cli.train.MpiRun.state;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.distributed.collectives.CollectivesProvider;
import io.github.kfac4j.distributed.collectives.Mpirun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How runs under mpirun end before their time. */
class MpiTrainEndTest {
  @TempDir Path directory;
  private MpiRun mpi;

  @BeforeAll
  static void needsMpi() {
    Mpirun.assume();
  }

  @BeforeEach
  void data() throws IOException {
    mpi = new MpiRun(directory);
  }

  private static void signal(String name, long process) throws Exception {
    new ProcessBuilder("kill", "-" + name, Long.toString(process)).start().waitFor();
  }

  private static List<ProcessHandle> ranks(Process mpirun) {
    return mpirun
        .descendants()
        .filter(p -> p.info().command().orElse("").endsWith("java"))
        .toList();
  }

  @Test
  void aKilledRankEndsTheJobAndAResumedRunHasTheBitsOfAnUndisturbedOne() throws Exception {
    Path killed = directory.resolve("killed");
    Process process = mpi.startEndless(3, killed);
    List<ProcessHandle> ranks = ranks(process);
    assertThat(ranks).hasSize(3);
    signal("KILL", ranks.get(1).pid());
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).as("the job ends in 10 s").isTrue();
    assertThat(process.exitValue()).isNotZero();
    assertThat(mpi.log()).contains("exited on signal 9 (Killed)");
    for (ProcessHandle rank : ranks) {
      rank.onExit().get(10, TimeUnit.SECONDS);
    }

    long steps = MpiRun.step(killed) + 3;
    List<String> resume =
        List.of("train", "--resume", killed.toString(), "--steps", Long.toString(steps));
    assertThat(mpi.train(3, resume)).as(mpi.log()).isZero();
    Path undisturbed = directory.resolve("undisturbed");
    assertThat(mpi.train(3, mpi.arguments(undisturbed, steps))).as(mpi.log()).isZero();
    assertThat(state(killed, "kfac")).isEqualTo(state(undisturbed, "kfac"));
    assertThat(state(killed, "sgd")).isEqualTo(state(undisturbed, "sgd"));
  }

  @Test
  void ctrlCEndsAllRanks() throws Exception {
    Path out = directory.resolve("out");
    Process process = mpi.startEndless(2, out);
    List<ProcessHandle> ranks = ranks(process);
    assertThat(ranks).hasSize(2);
    signal("INT", process.pid());
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    for (ProcessHandle rank : ranks) {
      rank.onExit().get(10, TimeUnit.SECONDS);
    }
    assertThat(mpi.log()).doesNotContain("Exception");

    long steps = MpiRun.step(out);
    assertThat(steps).isGreaterThanOrEqualTo(2);
    Cli.Outcome outcome =
        Cli.run("train", "--resume", out.toString(), "--steps", Long.toString(steps + 1));
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
  }

  /** As without mpirun: 2 for bad input. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--optimizer ekfac | --optimizer ekfac is for a single process: its moments are",
        "--kfac stale=0.1 | --kfac: stale is for a single process: layers find intervals of their",
        "--kfac workers=2 | --kfac: workers must be a part of the ranks, from 0 for one rank to 1",
        "--kfac payload=fp8 | --kfac: payload must be one of [fp32, fp16] but is fp8",
        "--collectives tcp | --collectives: unknown 'tcp'; known are mpi and nccl",
        "--batch x | Invalid value for option '--batch'"
      })
  void badInputEndsTheJobWithTheReason(String options, String reason) throws Exception {
    List<String> arguments = new ArrayList<>(mpi.arguments(directory.resolve("out"), 2));
    List<String> given = List.of(options.split(" "));
    int old = arguments.indexOf(given.get(0));
    if (old >= 0) {
      arguments.subList(old, old + 2).clear();
    }
    arguments.addAll(given);
    assertThat(mpi.train(2, arguments)).as(mpi.log()).isEqualTo(2);
    assertThat(mpi.log()).contains(reason);
  }

  @Test
  void withoutNcclTheReasonIsGiven() throws Exception {
    assumeTrue(
        CollectivesProvider.all().stream().allMatch(p -> p.unavailableReason() != null),
        "NCCL can be used here");
    List<String> arguments = new ArrayList<>(mpi.arguments(directory.resolve("out"), 2));
    arguments.addAll(List.of("--collectives", "nccl"));
    assertThat(mpi.train(2, arguments)).as(mpi.log()).isEqualTo(3);
    assertThat(mpi.log()).contains("'nccl' is not available: ");
  }
}
