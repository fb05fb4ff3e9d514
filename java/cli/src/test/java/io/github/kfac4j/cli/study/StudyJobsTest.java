package io.github.kfac4j.cli.study;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.cli.Cli;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class StudyJobsTest extends StudyRuns {
  private static final String SMALL =
      "batch-size --optimizer sgd,heavy-ball --batch 16,40 --trials 3 --repeats 1 --max-steps 40"
          + " --target 0.6 --evaluate-every 40";

  /** A killed worker costs its trial, which is made again. */
  @Test
  void sideBySideComesOutAsOneAfterTheOther() throws Exception {
    assertThat(study("serial", SMALL).exitCode()).isZero();
    Path log = directory.resolve("log");
    Process process = Cli.start(List.of(), arguments("side", SMALL + " --jobs 2"), log);
    while (workers(process).size() < 2 || !Files.exists(file("side", "study.json"))) {
      assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
      Thread.sleep(2);
    }
    workers(process).get(0).destroyForcibly();
    assertThat(process.waitFor()).as(Files.readString(log)).isZero();
    for (String table : List.of("steps.csv", "curves.csv")) {
      assertThat(trials("side", table)).isEqualTo(trials("serial", table));
    }
    assertThat(Files.readString(log)).containsPattern("about \\d+:\\d\\d left");
  }

  /** Those that have become JVMs: before that a child is a helper that starts one. */
  private static List<ProcessHandle> workers(Process study) {
    return study
        .children()
        .filter(child -> child.info().command().orElse("").endsWith("java"))
        .toList();
  }

  /** While it runs, a second study in its folder is refused. */
  @Test
  void workersEndWithTheStudyThatStartedThem() throws Exception {
    Path log = directory.resolve("log");
    String endless = SMALL.replace("--max-steps 40", "--max-steps 1000000").replace("0.6", "1");
    Process process = Cli.start(List.of(), arguments("killed", endless + " --jobs 2"), log);
    while (workers(process).size() < 2 || !Files.exists(file("killed", "study.json"))) {
      assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
      Thread.sleep(2);
    }
    assertThat(study("killed", endless).err()).contains("is in use by another run");
    List<ProcessHandle> workers = workers(process);
    process.destroyForcibly();
    assertThat(process.waitFor()).isEqualTo(128 + 9);
    for (ProcessHandle worker : workers) {
      worker.onExit().get();
    }
  }
}
