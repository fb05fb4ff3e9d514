package io.github.kfac4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.experiments.TinyData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Means over micro-batches are those over the batch. */
class MicroBatchTrainTest {
  @TempDir Path directory;

  private List<Double> losses(String name, String kfac) throws IOException {
    Path data = TinyData.write(directory.resolve("data"));
    Path out = directory.resolve(name);
    String line =
        "train --model mlp --batch 40 --steps 5 --optimizer kfac --data mnist --data-dir %s --out %s --kfac %s"
            .formatted(data, out, kfac);
    Cli.Outcome outcome = Cli.run(line.split(" "));
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    List<Double> losses = new ArrayList<>();
    for (String row : Files.readAllLines(out.resolve("metrics.csv")).subList(1, 6)) {
      losses.add(Double.valueOf(row.split(",")[4]));
    }
    return losses;
  }

  @Test
  void microBatchesTrainAsTheWholeBatch() throws IOException {
    List<Double> whole = losses("whole", "intervals=1:1");
    List<Double> parts = losses("parts", "intervals=1:1,micro-batches=4");
    for (int step = 0; step < whole.size(); step++) {
      assertThat(parts.get(step)).isCloseTo(whole.get(step), within(1e-4 * whole.get(step)));
    }
  }
}
