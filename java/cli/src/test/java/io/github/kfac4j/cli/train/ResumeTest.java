package io.github.kfac4j.cli.train;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.experiments.TinyData;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs that are stopped from outside, each in a process of its own. */
class ResumeTest {
  private static final int STEPS = 18;

  @TempDir Path directory;
  private Path data;

  @BeforeEach
  void data() throws IOException {
    data = TinyData.write(directory.resolve("data"));
  }

  private List<String> arguments(Path out, long steps) {
    return List.of(
        ("train --model simple-cnn --batch 40 --checkpoint-every 6 --evaluate-every 8"
                + " --data mnist --data-dir %s --out %s --steps %d")
            .formatted(data, out, steps)
            .split(" "));
  }

  private static void awaitFile(Path file, Process process, Path log) throws Exception {
    Instant deadline = Instant.now().plus(Duration.ofMinutes(3));
    while (!Files.exists(file)) {
      assertThat(process.isAlive()).as(() -> text(log)).isTrue();
      assertThat(Instant.now()).as(() -> text(log)).isBefore(deadline);
      Thread.sleep(5);
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static Map<String, StoredTensor> state(Path out, String optimizer) throws IOException {
    TensorFile file = TensorFile.read(out.resolve("checkpoints/" + optimizer + ".safetensors"));
    assertThat(file.metadata()).containsEntry("step", Integer.toString(STEPS));
    return file.tensors().entrySet().stream()
        .filter(tensor -> !tensor.getKey().startsWith("history.")) // holds times
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  private static List<String> losses(Path out) throws IOException {
    return Files.readAllLines(out.resolve("metrics.csv")).stream()
        .map(line -> line.replaceFirst("^(\\w+,\\d+,[^,]*),[^,]*,", "$1,")) // without seconds
        .toList();
  }

  @Test
  void continuesWithTheSameBitsAfterKill9() throws Exception {
    Path whole = directory.resolve("whole");
    assertThat(Cli.run(arguments(whole, STEPS).toArray(String[]::new)).exitCode()).isZero();

    Path killed = directory.resolve("killed");
    Path log = directory.resolve("log");
    for (String optimizer : List.of("kfac", "sgd", "adam")) {
      List<String> arguments =
          Files.exists(killed.resolve("run.json"))
              ? List.of("train", "--resume", killed.toString())
              : arguments(killed, STEPS);
      Process process = Cli.start(List.of(), arguments, log);
      awaitFile(killed.resolve("checkpoints/" + optimizer + ".safetensors"), process, log);
      process.destroyForcibly();
      assertThat(process.waitFor()).isEqualTo(128 + 9);
    }
    Cli.Outcome outcome = Cli.run("train", "--resume", killed.toString());
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();

    for (String optimizer : List.of("kfac", "sgd", "adam")) {
      assertThat(state(killed, optimizer)).isEqualTo(state(whole, optimizer));
    }
    assertThat(losses(killed)).isEqualTo(losses(whole)).hasSize(1 + 3 * STEPS);
  }

  /** Stopped after some steps and continued, for policies with a memory of their own. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--kfac stale=0.5,momentum-first=true --weight-decay decoupled=1e-3 --average 0.9",
        "--kfac quadratic=true,lm=2,gamma=4,fisher=mc --weight-decay l2=1e-3 --average 0.9",
        "--kfac memory=update,damping-mode=exact,decay=0.8 --average 0.9",
      })
  void policiesContinueWithTheSameBits(String policy) throws IOException {
    String optimizers = policy.contains("stale") ? "kfac,diagonal,sgd" : "kfac,ekfac,diagonal,sgd";
    for (String part : List.of("whole", "stopped")) {
      List<String> all = new ArrayList<>(arguments(directory.resolve(part), STEPS));
      all.set(all.indexOf("simple-cnn"), "mlp");
      all.addAll(List.of("--optimizer", optimizers));
      all.addAll(List.of(policy.split(" ")));
      if (part.equals("stopped")) {
        all.set(all.indexOf(Integer.toString(STEPS)), "7");
      }
      Cli.Outcome outcome = Cli.run(all.toArray(String[]::new));
      assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    }
    Path stopped = directory.resolve("stopped");
    Cli.Outcome outcome =
        Cli.run("train", "--resume", stopped.toString(), "--steps", Integer.toString(STEPS));
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    for (String optimizer : optimizers.split(",")) {
      assertThat(state(stopped, optimizer))
          .isEqualTo(state(directory.resolve("whole"), optimizer))
          .containsKey("average.average.02Linear_weight");
    }
  }

  @Test
  void anInterruptionLeavesAReportAndACheckpoint() throws Exception {
    Path out = directory.resolve("run");
    Path log = directory.resolve("log");
    Process process = Cli.start(List.of(), arguments(out, 1_000_000), log);
    awaitFile(out.resolve("checkpoints/kfac.safetensors"), process, log);
    process.destroy(); // SIGTERM; Ctrl-C's SIGINT takes the same way
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isEqualTo(128 + 15);

    TensorFile checkpoint = TensorFile.read(out.resolve("checkpoints/kfac.safetensors"));
    int steps = Integer.parseInt(checkpoint.metadata().get("step"));
    assertThat(Files.readAllLines(out.resolve("metrics.csv"))).hasSize(1 + steps);
    assertThat(Files.readString(out.resolve("report.html"))).contains("Interrupted: a partial");
    assertThat(new File(out.toFile(), "curves.png")).isNotEmpty();

    Cli.Outcome outcome =
        Cli.run("train", "--resume", out.toString(), "--steps", Integer.toString(steps + 1));
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    assertThat(Files.readAllLines(out.resolve("metrics.csv"))).hasSize(1 + 3 * (steps + 1));
    assertThat(Files.readString(out.resolve("report.html"))).doesNotContain("Interrupted");
  }

  @Test
  void refusesToResumeSomethingElse() throws Exception {
    Path out = directory.resolve("run");
    String[] first = arguments(out, 2).toArray(String[]::new);
    List<String> sgd = new ArrayList<>(List.of(first));
    sgd.addAll(List.of("--optimizer", "sgd"));
    assertThat(Cli.run(sgd.toArray(String[]::new)).exitCode()).isZero();

    assertRefused(
        "--seed cannot change when a run is resumed: it was 1 and is now 2",
        "--resume",
        out.toString(),
        "--seed",
        "2");
    assertRefused("--lr cannot change", "--resume", out.toString(), "--lr", "0.2");
    assertRefused("--resume needs the folder", "--resume");
    assertRefused("differ", "--resume", out.toString(), "--out", directory.toString());

    Path checkpoint = out.resolve("checkpoints/sgd.safetensors");
    byte[] bytes = Files.readAllBytes(checkpoint);
    bytes[bytes.length / 2] ^= 1;
    Files.write(checkpoint, bytes);
    assertRefused("damaged: content does not match", "--resume", out.toString(), "--steps", "3");
    Files.write(checkpoint, java.util.Arrays.copyOf(bytes, 1000));
    assertRefused("truncated", "--resume", out.toString(), "--steps", "3");

    Files.writeString(out.resolve("run.json"), "{\"options\": 3}");
    assertRefused("run.json is damaged", "--resume", out.toString());
  }

  /** Files that are whole, with a checksum that is right, but cannot be. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "weights.02Linear_weight | 0 | NaN | NaN in '02Linear_weight' at flat index 0, which is"
            + " not",
        "kfac.02Linear.A_inverse | 0 | Infinity | Infinity in '02Linear.A_inverse' at flat index 0",
        "kfac.step               | 0 | -5 | has -5 steps",
        "optimizer.counters      | 0 | -5 | the number of steps -5.0, which must be a whole number",
        "optimizer.memory.02Linear_bias | 0 | NaN | NaN in 'memory.02Linear_bias' at flat index 0",
        "average.average.02Linear_bias  | 0 | NaN | NaN in 'average.02Linear_bias' at flat index 0",
        "history.steps           | 0 | -1 | the checkpoint has an impossible step",
        "history.validations     | 0 | 9  | the checkpoint has an impossible evaluation",
      })
  void refusesToResumeFromWhatCannotBe(String tensor, int at, double value, String reason)
      throws IOException {
    Path out = directory.resolve("run");
    List<String> first = new ArrayList<>(arguments(out, 2));
    first.set(first.indexOf("simple-cnn"), "mlp");
    first.addAll(List.of("--optimizer", "kfac", "--average", "0.9"));
    assertThat(Cli.run(first.toArray(String[]::new)).exitCode()).isZero();
    Path file = out.resolve("checkpoints/kfac.safetensors");
    TensorFile good = TensorFile.readChecked(file);
    ByteBuffer data = good.tensors().get(tensor).data();
    switch (good.tensors().get(tensor).dtype()) {
      case F32 -> data.putFloat(at * Float.BYTES, (float) value);
      case F64 -> data.putDouble(at * Double.BYTES, value);
      default -> data.putLong(at * Long.BYTES, (long) value);
    }
    good.write(file);
    byte[] before = Files.readAllBytes(file);
    assertRefused(reason, "--resume", out.toString(), "--steps", "3");
    assertThat(file).hasBinaryContent(before);
  }

  @Test
  void refusesToResumeFromACheckpointWithoutItsChecksum() throws IOException {
    Path out = directory.resolve("run");
    List<String> first = new ArrayList<>(arguments(out, 2));
    first.addAll(List.of("--optimizer", "sgd"));
    assertThat(Cli.run(first.toArray(String[]::new)).exitCode()).isZero();
    Path file = out.resolve("checkpoints/sgd.safetensors");
    String content = new String(Files.readAllBytes(file), ISO_8859_1);
    Files.write(file, content.replace("kfac4j.crc32c", "kfac4j.crc32b").getBytes(ISO_8859_1));
    assertRefused("has no checksum", "--resume", out.toString(), "--steps", "3");
  }

  @Test
  void twoRunsInOneFolderAreKeptApart() throws Exception {
    Path out = directory.resolve("run");
    Path log = directory.resolve("log");
    Process process = Cli.start(List.of(), arguments(out, 1_000_000), log);
    try {
      awaitFile(out.resolve("checkpoints/kfac.safetensors"), process, log);
      assertRefused(out + " is in use by another run", "--resume", out.toString());
      assertRefused(
          out + " is in use by another run",
          arguments(out, 2).subList(1, 15).toArray(String[]::new));
    } finally {
      process.destroyForcibly();
      process.waitFor();
    }
    Path half = Files.writeString(out.resolve("checkpoints/.kfac4j-0123456789abcdef.tmp"), "half");
    Files.setLastModifiedTime(half, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
    Cli.Outcome outcome = Cli.run("train", "--resume", out.toString(), "--steps", "1");
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    assertThat(half).doesNotExist();
  }

  private static void assertRefused(String reason, String... arguments) {
    List<String> all = new ArrayList<>(List.of("train"));
    all.addAll(List.of(arguments));
    Cli.Outcome outcome = Cli.run(all.toArray(String[]::new));
    assertThat(outcome.err()).contains(reason);
    assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(2);
  }
}
