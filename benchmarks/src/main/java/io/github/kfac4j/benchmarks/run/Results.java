package io.github.kfac4j.benchmarks.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.github.kfac4j.files.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The file of results, {@code benchmarks/results/*.json}.
 *
 * @param schema the version of this form, {@value #SCHEMA}
 * @param command what was run
 * @param machine where
 * @param versions of everything that took part
 * @param threads that each contender was given
 * @param seed of the inputs
 * @param gemmGflops the rate of a large matrix product on all of these threads, the ceiling of the
 *     other rates; 0 if not measured
 * @param measurements in the order of measuring
 */
public record Results(
    int schema,
    String command,
    Machine machine,
    Map<String, String> versions,
    int threads,
    long seed,
    double gemmGflops,
    List<Measurement> measurements) {
  /** The version of the form. */
  public static final int SCHEMA = 1;

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** No measurements yet. */
  public static Results empty(String command, int threads, long seed) {
    return new Results(SCHEMA, command, Machine.current(), Map.of(), threads, seed, 0, List.of());
  }

  /** With another ceiling. */
  public Results withGemmGflops(double rate) {
    return new Results(schema, command, machine, versions, threads, seed, rate, measurements);
  }

  /** With more versions. */
  public Results withVersions(Map<String, String> more) {
    Map<String, String> all = new TreeMap<>(versions);
    all.putAll(more);
    return new Results(schema, command, machine, all, threads, seed, gemmGflops, measurements);
  }

  /** With one more measurement, in place of an older one of the same case. */
  public Results with(Measurement measurement) {
    List<Measurement> all = new ArrayList<>(measurements);
    all.removeIf(m -> same(m, measurement));
    all.add(measurement);
    return new Results(schema, command, machine, versions, threads, seed, gemmGflops, all);
  }

  private static boolean same(Measurement a, Measurement b) {
    return a.verb().equals(b.verb())
        && a.name().equals(b.name())
        && a.device().equals(b.device())
        && a.pairs().get(0).own().equals(b.pairs().get(0).own());
  }

  /** Whether a case was measured already. */
  public boolean has(String verb, String name, String own) {
    return measurements.stream()
        .anyMatch(
            m ->
                m.verb().equals(verb)
                    && m.name().equals(name)
                    && m.pairs().get(0).own().equals(own));
  }

  /**
   * Reads a file.
   *
   * @throws IOException if it is missing or of another form
   */
  public static Results read(Path file) throws IOException {
    try {
      Results results = JSON.readValue(file.toFile(), Results.class);
      if (results.schema() != SCHEMA) {
        throw new IOException(
            "%s: results of form %d, expected %d".formatted(file, results.schema(), SCHEMA));
      }
      return results;
    } catch (JsonProcessingException e) {
      throw new IOException(file + ": not a file of results: " + e.getOriginalMessage(), e);
    }
  }

  /** Writes a file, whole or not at all. */
  public void write(Path file) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    AtomicFile.write(file, JSON.writeValueAsBytes(this));
  }
}
