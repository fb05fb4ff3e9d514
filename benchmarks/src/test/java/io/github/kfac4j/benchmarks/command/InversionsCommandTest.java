package io.github.kfac4j.benchmarks.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.benchmarks.run.Machine;
import io.github.kfac4j.benchmarks.run.Measurement;
import io.github.kfac4j.benchmarks.run.Pairs;
import io.github.kfac4j.benchmarks.run.Results;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a file of results, of invented times, to the table that the kernels are compiled with. */
class InversionsCommandTest {
  private static final Path HEADER = Path.of("../native/cuda/invert_table.h");

  @TempDir private Path folder;
  private Path file;
  private Path table;

  @BeforeEach
  void copyTheTable() throws IOException {
    file = folder.resolve("bench.json");
    table = Files.copy(HEADER, folder.resolve("invert_table.h"));
  }

  private static Measurement measured(String name, String own, double seconds) {
    Pairs pairs =
        new Pairs(own, null, List.of(seconds), null, null, 0.0, null, null, Map.of(), null, null);
    return new Measurement("inverse", name, "cuda", 0, "0123abc", "", List.of(pairs));
  }

  private Results results(Measurement... measurements) {
    Machine here = Machine.current();
    Machine machine =
        new Machine(
            here.cpu(), here.cores(), here.memoryInBytes(), here.os(), "An invented GPU", "1.2");
    return new Results(Results.SCHEMA, "", machine, Map.of(), 1, 1, 0, List.of(measurements));
  }

  private int run() {
    return Benchmarks.commandLine().execute("inversions", file.toString(), "--table=" + table);
  }

  @Test
  void theRowsOfTheHeaderAreReplaced() throws IOException {
    String before = Files.readString(HEADER);
    results(
            measured("n=16", "cuda-kernels-64", 1e-9), // below 32 it is accuracy that counts
            measured("n=64", "cuda-kernels-64", 3e-5),
            measured("n=64", "cuda-kernels-128", 2e-5),
            measured("n=1024", "cuda-kernels-sweep", 6e-3),
            measured("n=1024", "cuda-cusolver", 5e-3),
            measured("1000 x 64", "cuda-kernels-64", 2e-5),
            measured("1000 x 64", "cuda-kernels-128", 3e-5))
        .write(file);
    assertThat(run()).isZero();
    assertThat(table)
        .content()
        .contains(
            """
            // Measured: An invented GPU, driver 1.2, commit 0123abc.
            constexpr InvertRow INVERT_TABLE[] = {
                {8, ANY, KFAC_INVERT_FP64_8},
                {32, ANY, KFAC_INVERT_FP64_32},
                {64, 32, KFAC_INVERT_REGISTERS_128},
                {ANY, 32, KFAC_INVERT_CUSOLVER},
                {64, ANY, KFAC_INVERT_REGISTERS_64},
                {ANY, ANY, KFAC_INVERT_SWEEP},
            };
            """)
        .startsWith(before.substring(0, before.indexOf("// Measured: ")))
        .endsWith(before.substring(before.indexOf("};\n", before.indexOf("INVERT_TABLE[]"))));
    String written = Files.readString(table);
    assertThat(run()).isZero();
    assertThat(table).as("written again").hasContent(written);
  }

  @Test
  void withoutTimesTheTableStaysAsItIs() throws IOException {
    results(measured("n=64", "cuda", 3e-5)).write(file);
    assertThat(run()).isEqualTo(1);
    assertThat(table).hasSameTextualContentAs(HEADER);
  }
}
