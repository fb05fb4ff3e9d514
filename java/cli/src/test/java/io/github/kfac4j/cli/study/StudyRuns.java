package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.experiments.TinyData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

  /** The lines of a table. */
  List<String> trials(String folder, String csv) throws IOException {
    return Files.readAllLines(file(folder, csv));
  }

  /** The rows of a table by column. */
  record Csv(List<String> lines) {
    List<Map<String, String>> rows(String optimizer, int batch) {
      String[] names = lines.get(0).split(",");
      List<Map<String, String>> rows = new ArrayList<>();
      for (String line : lines) {
        if (line.startsWith("%s,%d,".formatted(optimizer, batch))) {
          String[] cells = line.split(",", -1);
          Map<String, String> row = new HashMap<>();
          for (int i = 0; i < cells.length; i++) {
            row.put(names[i], cells[i]);
          }
          rows.add(row);
        }
      }
      return rows;
    }
  }
}
