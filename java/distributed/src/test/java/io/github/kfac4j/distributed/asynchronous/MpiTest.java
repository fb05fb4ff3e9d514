package io.github.kfac4j.distributed.asynchronous;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.distributed.collectives.Mpirun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real processes under mpirun; skipped, with the reason, where there is none. */
class MpiTest {
  @TempDir private Path folder;

  private record Result(int exit, String output) {}

  @BeforeAll
  static void needsMpi() {
    Mpirun.assume();
  }

  private Result run(int ranks, String scenario) throws IOException, InterruptedException {
    Path log = folder.resolve("output");
    List<String> options = List.of("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");
    Process process = Mpirun.start(ranks, options, MpiRank.class.getName(), List.of(scenario), log);
    return new Result(Mpirun.await(process, log), Files.readString(log));
  }

  private static void assertAllDone(Result result, int ranks) {
    assertThat(result.exit()).as(result.output()).isZero();
    for (int rank = 0; rank < ranks; rank++) {
      assertThat(result.output()).contains("rank %d of %d done".formatted(rank, ranks));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void everyOperation(int ranks) throws Exception {
    assertAllDone(run(ranks, "collectives"), ranks);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void anyNumberOfRanksTrainsAsOneProcess(int ranks) throws Exception {
    assertAllDone(run(ranks, "train"), ranks);
  }

  @Test
  void gradientStatisticsAndInverseWorkers() throws Exception {
    assertAllDone(run(5, "asynchronous"), 5);
  }

  @Test
  void aNanOnOneRankIsTheSameFailureOnAll() throws Exception {
    Result result = run(3, "nan");
    assertAllDone(result, 3);
    assertThat(result.output().lines())
        .filteredOn(line -> line.startsWith("rank 1: layer"))
        .hasSize(3)
        .containsOnly(
            "rank 1: layer 'fc2': bias gradient holds a NaN or infinity at flat index 1; discardStep() drops this step");
  }

  @Test
  void differentSettingsAreRefusedOnAll() throws Exception {
    Result result = run(2, "differ");
    assertAllDone(result, 2);
    assertThat(result.output().lines())
        .filteredOn(line -> line.startsWith("the settings differs between ranks"))
        .hasSize(2)
        .allMatch(line -> line.contains("damping=0.1") && line.contains("damping=0.5"));
  }

  @Test
  void aKilledRankEndsTheJobWithAMessage() throws Exception {
    Result result = run(3, "die");
    long end = System.currentTimeMillis();
    assertThat(result.exit()).isNotZero();
    assertThat(result.output()).contains("rank 2").contains("signal 9");
    Matcher death = Pattern.compile("dies at (\\d+)").matcher(result.output());
    assertThat(death.find()).isTrue();
    assertThat(end - Long.parseLong(death.group(1))).as("milliseconds").isLessThan(10_000);
  }

  @Test
  void aRankThatCannotGoOnEndsTheJobWithItsReason() throws Exception {
    Result result = run(3, "abort");
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.output())
        .contains("rank 1 ends the job: java.lang.IllegalStateException: the disk of this rank");
  }
}
