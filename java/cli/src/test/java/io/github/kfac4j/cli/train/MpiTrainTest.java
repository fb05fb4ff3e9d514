package io.github.kfac4j.cli.train;

import static io.github.kfac4j.cli.train.MpiRun.assertNearWeights;
import static io.github.kfac4j.cli.train.MpiRun.state;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.distributed.collectives.Mpirun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Training by several processes under mpirun; skipped, with the reason, where there is none. */
class MpiTrainTest {
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

  @Test
  void ranksTrainAsOneProcessAndResumeWithAnyNumber() throws Exception {
    Path serial = directory.resolve("serial");
    assertThat(Cli.run(mpi.arguments(serial, 6).toArray(String[]::new)).exitCode()).isZero();

    Path three = directory.resolve("three");
    assertThat(mpi.train(3, mpi.arguments(three, 6))).as(mpi.log()).isZero();
    assertNearWeights(three, serial, 1e-4);
    assertThat(mpi.log()).containsOnlyOnce("report: ").contains("ranks: 3 over mpi");
    assertThat(three.resolve("report.html")).exists();

    // stopped at step 4: with as many ranks the same bits, otherwise the same numbers
    Path stopped = directory.resolve("stopped");
    assertThat(mpi.train(3, mpi.arguments(stopped, 4))).as(mpi.log()).isZero();
    List<String> resume = List.of("train", "--steps", "6", "--resume");
    for (int ranks : new int[] {3, 2}) {
      Path copy = copy(stopped, directory.resolve("resumed-" + ranks));
      List<String> arguments = new ArrayList<>(resume);
      arguments.add(copy.toString());
      assertThat(mpi.train(ranks, arguments)).as(mpi.log()).isZero();
      assertNearWeights(copy, serial, 1e-4);
      if (ranks == 3) {
        assertThat(state(copy, "kfac")).isEqualTo(state(three, "kfac"));
        assertThat(state(copy, "sgd")).isEqualTo(state(three, "sgd"));
      }
    }
    Path alone = copy(stopped, directory.resolve("alone"));
    assertThat(Cli.run("train", "--steps", "6", "--resume", alone.toString()).exitCode()).isZero();
    assertNearWeights(alone, serial, 1e-4);
  }

  private static Path copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
    return to;
  }

  @ParameterizedTest
  @CsvSource({
    "assignment=contiguous, 1e-4",
    "'assignment=round-robin,workers=0.5', 1e-4",
    "'workers=1,payload=fp16', 1e-2"
  })
  void everyWayToShareTrainsAsOneProcess(String settings, double tolerance) throws Exception {
    Path serial = directory.resolve("serial");
    assertThat(Cli.run(mpi.arguments(serial, 3).toArray(String[]::new)).exitCode()).isZero();
    Path shared = directory.resolve("shared");
    List<String> arguments = new ArrayList<>(mpi.arguments(shared, 3));
    arguments.addAll(List.of("--kfac", settings));
    assertThat(mpi.train(2, arguments)).as(mpi.log()).isZero();
    assertNearWeights(shared, serial, tolerance);
  }

  /** Ten backward passes through one forward pass, A of the first alone. */
  @Test
  void theExactFisherIsThatOfOneProcess() throws Exception {
    Path serial = directory.resolve("serial");
    List<String> alone = new ArrayList<>(mpi.arguments(serial, 3));
    alone.addAll(List.of("--kfac", "fisher=exact"));
    assertThat(Cli.run(alone.toArray(String[]::new)).exitCode()).isZero();
    Path shared = directory.resolve("shared");
    List<String> arguments = new ArrayList<>(mpi.arguments(shared, 3));
    arguments.addAll(List.of("--kfac", "fisher=exact"));
    assertThat(mpi.train(2, arguments)).as(mpi.log()).isZero();
    assertNearWeights(shared, serial, 1e-4);
  }
}
