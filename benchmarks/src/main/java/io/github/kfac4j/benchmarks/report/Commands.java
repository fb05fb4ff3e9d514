package io.github.kfac4j.benchmarks.report;

import java.nio.file.Path;

/** What makes a figure again, as a block of Markdown. */
final class Commands {
  private final String compare;
  private final String report;

  /**
   * The commands of one file.
   *
   * @param compare what measured
   */
  Commands(String compare, Path file, Path folder) {
    this.compare = compare;
    this.report =
        "java -jar benchmarks/target/benchmarks.jar report %s --out %s".formatted(file, folder);
  }

  String all() {
    return block(compare);
  }

  String of(String only) {
    return block(compare + " --only " + only);
  }

  private String block(String measure) {
    return "```\n" + measure + "\n" + report + "\n```\n";
  }
}
