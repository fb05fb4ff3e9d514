package io.github.kfac4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.cli.KfacCommand;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training by several processes under mpirun; skipped, with the reason, where there is none. */
class MpiTrainTest {
  @TempDir Path directory;
  private Path data;

  @BeforeAll
  static void needsMpi() {
    for (String program : List.of("mpirun", "mpicc")) {
      boolean found =
          Stream.of(System.getenv("PATH").split(":"))
              .anyMatch(dir -> Files.isExecutable(Path.of(dir, program)));
      if (!found) {
        System.out.println("MpiTrainTest skipped: no " + program + " on the PATH");
      }
      assumeTrue(found, "no " + program + " on the PATH");
    }
  }

  @BeforeEach
  void data() throws IOException {
    data = TinyData.write(directory.resolve("data"));
  }

  private List<String> arguments(Path out, int steps) {
    return List.of(
        ("train --model mlp --batch 41 --evaluate-every 3 --optimizer kfac,sgd"
                + " --kfac intervals=1:2,kl-clip=1e-3 --checkpoint-every 2"
                + " --data mnist --data-dir %s --out %s --steps %d")
            .formatted(data, out, steps)
            .split(" "));
  }

  private ProcessBuilder mpirun(int ranks, List<String> arguments, Path log) {
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of("mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"));
    command.addAll(List.of("-x", "OMP_NUM_THREADS=1", "-n", String.valueOf(ranks)));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(KfacCommand.class.getName());
    command.addAll(arguments);
    return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
  }

  private int train(int ranks, List<String> arguments, Path log) throws Exception {
    Process process = mpirun(ranks, arguments, log).start();
    if (!process.waitFor(3, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("mpirun hangs: " + Files.readString(log));
    }
    return process.exitValue();
  }

  private static Map<String, StoredTensor> state(Path out, String optimizer) throws IOException {
    TensorFile file = TensorFile.read(out.resolve("checkpoints/" + optimizer + ".safetensors"));
    return file.tensors().entrySet().stream()
        .filter(tensor -> !tensor.getKey().startsWith("history.")) // holds times
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  private static void assertSameWeights(Path out, Path expected) throws IOException {
    for (String optimizer : List.of("kfac", "sgd")) {
      Map<String, StoredTensor> actual = state(out, optimizer);
      for (var entry : state(expected, optimizer).entrySet()) {
        if (entry.getKey().startsWith("weights.")) {
          FloatBuffer a = actual.get(entry.getKey()).asFloatBuffer();
          FloatBuffer b = entry.getValue().asFloatBuffer();
          while (b.hasRemaining()) {
            assertThat(a.get())
                .as(optimizer + " " + entry.getKey())
                .isCloseTo(b.get(), within(1e-4f));
          }
        }
      }
    }
  }

  @Test
  void ranksTrainAsOneProcessAndResumeWithAnyNumber() throws Exception {
    Path log = directory.resolve("log");
    Path serial = directory.resolve("serial");
    assertThat(Cli.run(arguments(serial, 6).toArray(String[]::new)).exitCode()).isZero();

    Path three = directory.resolve("three");
    assertThat(train(3, arguments(three, 6), log)).as(Files.readString(log)).isZero();
    assertSameWeights(three, serial);
    assertThat(Files.readString(log)).containsOnlyOnce("report: ").contains("ranks: 3");
    assertThat(three.resolve("report.html")).exists();

    // stopped at step 4: with as many ranks the same bits, otherwise the same numbers
    Path stopped = directory.resolve("stopped");
    assertThat(train(3, arguments(stopped, 4), log)).as(Files.readString(log)).isZero();
    List<String> resume = List.of("train", "--steps", "6", "--resume");
    for (int ranks : new int[] {3, 2}) {
      Path copy = copy(stopped, directory.resolve("resumed-" + ranks));
      List<String> arguments = new ArrayList<>(resume);
      arguments.add(copy.toString());
      assertThat(train(ranks, arguments, log)).as(Files.readString(log)).isZero();
      assertSameWeights(copy, serial);
      if (ranks == 3) {
        assertThat(state(copy, "kfac")).isEqualTo(state(three, "kfac"));
        assertThat(state(copy, "sgd")).isEqualTo(state(three, "sgd"));
      }
    }
    Path alone = copy(stopped, directory.resolve("alone"));
    assertThat(Cli.run("train", "--steps", "6", "--resume", alone.toString()).exitCode()).isZero();
    assertSameWeights(alone, serial);
  }

  private static Path copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
    return to;
  }

  @Test
  void settingsForASingleProcessEndTheJobWithTheReason() throws Exception {
    Path log = directory.resolve("log");
    List<String> arguments = new ArrayList<>(arguments(directory.resolve("out"), 2));
    arguments.set(arguments.indexOf("kfac,sgd"), "ekfac");
    assertThat(train(2, arguments, log)).isNotZero();
    assertThat(Files.readString(log)).contains("--optimizer ekfac is for a single process");
  }

  @Test
  void ctrlCEndsAllRanks() throws Exception {
    Path out = directory.resolve("out");
    Path log = directory.resolve("log");
    Process process = mpirun(2, arguments(out, 1_000_000), log).start();
    while (!Files.exists(out.resolve("checkpoints/kfac.safetensors"))) {
      assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
      Thread.sleep(20);
    }
    new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start().waitFor();
    List<ProcessHandle> ranks = process.descendants().toList();
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    for (ProcessHandle rank : ranks) {
      rank.onExit().get(10, TimeUnit.SECONDS);
    }
    int steps = Integer.parseInt(checkpointStep(out));
    assertThat(steps).isGreaterThanOrEqualTo(2);

    Cli.Outcome outcome =
        Cli.run("train", "--resume", out.toString(), "--steps", Integer.toString(steps + 1));
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
  }

  private static String checkpointStep(Path out) throws IOException {
    return TensorFile.read(out.resolve("checkpoints/kfac.safetensors")).metadata().get("step");
  }
}
