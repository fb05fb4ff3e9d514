package io.github.kfac4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.cli.KfacCommand;
import io.github.kfac4j.distributed.collectives.Mpirun;
import io.github.kfac4j.experiments.TinyData;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** {@code train} under mpirun on tiny data, and what it left behind. */
final class MpiRun {
  private final Path data;
  private final Path log;

  MpiRun(Path directory) throws IOException {
    data = TinyData.write(directory.resolve("data"));
    log = directory.resolve("log");
  }

  /** A run of {@code kfac} and {@code sgd} with a checkpoint every other step. */
  List<String> arguments(Path out, long steps) {
    return List.of(
        ("train --model mlp --batch 41 --evaluate-every 3 --optimizer kfac,sgd"
                + " --kfac intervals=1:2,kl-clip=1e-3 --checkpoint-every 2"
                + " --data mnist --data-dir %s --out %s --steps %d")
            .formatted(data, out, steps)
            .split(" "));
  }

  private Process start(int ranks, List<String> jvmOptions, List<String> arguments)
      throws IOException {
    return Mpirun.start(ranks, jvmOptions, KfacCommand.class.getName(), arguments, log);
  }

  /** Runs to the end; the exit code. */
  int train(int ranks, List<String> arguments) throws Exception {
    return train(ranks, List.of(), arguments);
  }

  /** The same with options of the JVM. */
  int train(int ranks, List<String> jvmOptions, List<String> arguments) throws Exception {
    return Mpirun.await(start(ranks, jvmOptions, arguments), log);
  }

  /** Starts a run that does not end by itself, and waits for its first checkpoint. */
  Process startEndless(int ranks, Path out) throws Exception {
    Process process = start(ranks, List.of(), arguments(out, 1_000_000));
    while (!Files.exists(out.resolve("checkpoints/kfac.safetensors"))) {
      assertThat(process.isAlive()).as(log()).isTrue();
      Thread.sleep(20);
    }
    return process;
  }

  String log() throws IOException {
    return Files.readString(log);
  }

  private static TensorFile checkpoint(Path out, String optimizer) throws IOException {
    return TensorFile.read(out.resolve("checkpoints/" + optimizer + ".safetensors"));
  }

  /** All that determines what comes next. */
  static Map<String, StoredTensor> state(Path out, String optimizer) throws IOException {
    return checkpoint(out, optimizer).tensors().entrySet().stream()
        .filter(tensor -> !tensor.getKey().startsWith("history.")) // holds times
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  /** The step of the checkpoint of K-FAC. */
  static long step(Path out) throws IOException {
    return Long.parseLong(checkpoint(out, "kfac").metadata().get("step"));
  }

  static void assertNearWeights(Path out, Path expected, double tolerance) throws IOException {
    for (String optimizer : List.of("kfac", "sgd")) {
      Map<String, StoredTensor> actual = state(out, optimizer);
      for (var entry : state(expected, optimizer).entrySet()) {
        if (entry.getKey().startsWith("weights.")) {
          FloatBuffer a = actual.get(entry.getKey()).asFloatBuffer();
          FloatBuffer b = entry.getValue().asFloatBuffer();
          while (b.hasRemaining()) {
            assertThat(a.get())
                .as(optimizer + " " + entry.getKey())
                .isCloseTo(b.get(), within((float) tolerance));
          }
        }
      }
    }
  }
}
