package io.github.kfac4j.cli.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.experiments.TinyData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Runs of {@code train} on a tiny data set, in a folder of their own. */
abstract class TrainRuns {
  @TempDir static Path shared;
  @TempDir Path directory;

  @BeforeAll
  static void data() throws IOException {
    TinyData.write(shared.resolve("data"));
  }

  Cli.Outcome train(String arguments) {
    return train("run", arguments);
  }

  Cli.Outcome train(String folder, String arguments) {
    List<String> all = new ArrayList<>(List.of("train"));
    all.addAll(List.of("--data-dir", shared.resolve("data").toString()));
    all.addAll(List.of("--out", directory.resolve(folder).toString()));
    all.addAll(List.of(arguments.split(" ")));
    return Cli.run(all.toArray(String[]::new));
  }

  Path run(String file) {
    return directory.resolve("run").resolve(file);
  }

  static JsonNode tree(String json) {
    try {
      return new ObjectMapper().readTree(json);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
