package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.experiments.TinyData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Studies of a tiny data set, in folders of their own. */
abstract class StudyRuns {
  @TempDir static Path shared;
  @TempDir Path directory;

  @BeforeAll
  static void data() throws IOException {
    TinyData.write(shared.resolve("data"));
  }

  List<String> arguments(String folder, String command) {
    List<String> all = new ArrayList<>(List.of(("study " + command).split(" ")));
    all.addAll(List.of("--data", "mnist", "--data-dir", shared.resolve("data").toString()));
    all.addAll(List.of("--out", directory.resolve(folder).toString()));
    return all;
  }

  Cli.Outcome study(String folder, String command) {
    return Cli.run(arguments(folder, command).toArray(String[]::new));
  }

  Path file(String folder, String name) {
    return directory.resolve(folder).resolve(name);
  }

  /** Lines without the seconds. */
  List<String> trials(String folder, String csv) throws IOException {
    return Files.readAllLines(file(folder, csv)).stream()
        .map(line -> line.replaceFirst(",[^,]*$", ""))
        .toList();
  }
}
