package io.github.kfac4j.benchmarks.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.benchmarks.run.Measurement;
import io.github.kfac4j.benchmarks.run.Results;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A comparison in pieces, and the report of it. */
class CompareCommandTest {
  @TempDir private Path folder;

  private int run(String... args) {
    return Benchmarks.commandLine().execute(args);
  }

  private int compare(String only) {
    return run(
        "compare",
        "--out=" + folder.resolve("tiny.json"),
        "--set=tiny",
        "--only=" + only,
        "--peer=ejml",
        "--pairs=2",
        "--threads=1");
  }

  @Test
  void goesOnWhereItStopped() throws IOException {
    Path file = folder.resolve("tiny.json");
    assertThat(compare("dense-factor")).isZero();
    assertThat(Results.read(file).measurements())
        .extracting(Measurement::verb)
        .containsExactly("dense-factor");
    FileTime written = Files.getLastModifiedTime(file);
    assertThat(compare("dense-factor")).isZero();
    assertThat(Files.getLastModifiedTime(file)).isEqualTo(written);
    assertThat(compare("inverse tiny")).isZero();

    Results results = Results.read(file);
    assertThat(results.measurements())
        .extracting(Measurement::verb)
        .containsExactly("dense-factor", "inverse", "inverse");
    assertThat(results.measurements().get(0).pairs().get(0).ratios()).hasSize(2).isSorted();
    assertThat(results.gemmGflops()).isPositive();
    assertThat(results.versions()).containsKeys("ejml", "jdk");

    assertThat(run("report", file.toString(), "--out=" + folder)).isZero();
    assertThat(folder.resolve("report.md"))
        .content()
        .contains("EJML", "inverse", "tiny-ratios.png");
    assertThat(folder.resolve("tiny-ratios.png")).isNotEmptyFile();
  }

  @Test
  void namesWithoutACaseAreRefused() {
    assertThat(compare("no such case")).isEqualTo(1);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aForeignFileIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("tiny.json"), "{\"schema\": 2}");
    assertThat(compare("dense-factor")).isEqualTo(1);
    assertThat(file).hasContent("{\"schema\": 2}");
  }
}
