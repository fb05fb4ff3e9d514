package io.github.kfac4j.benchmarks.run;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Where something was measured.
 *
 * @param cpu model name and the widest vectors it has
 * @param gpu model name, null if none took part
 * @param driver of the GPU, null if none took part
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Machine(
    String cpu, int cores, long memoryInBytes, String os, String gpu, String driver) {

  /** This machine, as far as Linux tells. */
  public static Machine current() {
    String gpu = command("nvidia-smi", "--query-gpu=name", "--format=csv,noheader");
    String driver = command("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader");
    return new Machine(
        cpuModel(),
        Runtime.getRuntime().availableProcessors(),
        memory(),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        gpu,
        driver);
  }

  private static String cpuModel() {
    List<String> lines = lines(Path.of("/proc/cpuinfo"));
    String model = field(lines, "model name", "unknown CPU");
    String flags = " " + field(lines, "flags", "") + " ";
    String vectors =
        flags.contains(" avx512f ") ? "AVX-512" : flags.contains(" avx2 ") ? "AVX2" : "";
    return model.replaceAll("\\s+", " ").strip() + (vectors.isEmpty() ? "" : ", " + vectors);
  }

  private static long memory() {
    String total = field(lines(Path.of("/proc/meminfo")), "MemTotal", "0");
    return Long.parseLong(total.replaceAll("\\D", "")) * 1024;
  }

  private static String field(List<String> lines, String name, String otherwise) {
    return lines.stream()
        .filter(line -> line.startsWith(name))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse(otherwise);
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of(); // not Linux
    }
  }

  /**
   * The commit that is checked out, marked if files differ from it; null outside a checkout, unless
   * the system property {@code kfac.commit} says what was built.
   */
  public static String commit() {
    String built = System.getProperty("kfac.commit");
    return built != null ? built : command("git", "describe", "--always", "--dirty", "--exclude=*");
  }

  /** The first line a command prints; null if it cannot be run. */
  static String command(String... line) {
    try {
      Process process =
          new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      try (var out = process.inputReader()) {
        String first = out.readLine();
        out.lines().forEach(rest -> {});
        return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0 ? first : null;
      }
    } catch (IOException e) {
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }
}
