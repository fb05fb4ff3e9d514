package io.github.kfac4j.testkit.attack;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.testkit.EveryLayer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;

/**
 * {@code GrowthAttack BACKEND STEPS}: steps of every layer and approximation, each fifth of them
 * with K-FAC made anew, and what the process holds after each tenth: heap, memory of the system,
 * open files (Linux). Exit 1 where it has grown by more than a tenth since the first.
 */
public final class GrowthAttack {
  private static final int LIFE = 5;

  private final long heap;
  private final long resident;
  private final long files;

  private GrowthAttack() throws IOException {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    heap = runtime.totalMemory() - runtime.freeMemory();
    resident =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("VmRSS:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
            .sum();
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      files = open.count();
    }
  }

  public static void main(String[] arguments) throws IOException {
    long steps = Long.parseLong(arguments[1]);
    GrowthAttack first = null;
    long next = steps / 10;
    try (Backend backend = Backends.require(arguments[0])) {
      for (long step = 0; step < steps; ) {
        Approximation[] all = Approximation.values();
        Approximation approximation = all[(int) (step / LIFE % all.length)];
        try (Kfac kfac = EveryLayer.kfac(backend, approximation, EveryLayer.OPTIONS)) {
          for (int i = 0; i < LIFE; i++, step++) {
            EveryLayer.step(kfac, new Random(step));
          }
        }
        if (step >= next && step < steps) {
          next += steps / 10;
          GrowthAttack now = new GrowthAttack();
          first = first == null ? now : first;
          System.out.println("after " + step + " steps: " + now);
        }
      }
      GrowthAttack last = new GrowthAttack();
      System.out.println("after " + steps + " steps: " + last);
      System.exit(last.isBeyond(first) ? 1 : 0);
    }
  }

  private boolean isBeyond(GrowthAttack first) {
    return heap > 1.1 * first.heap || resident > 1.1 * first.resident || files > first.files;
  }

  @Override
  public String toString() {
    return "heap %.1f MB, resident %.0f MB, %d files".formatted(heap / 1e6, resident / 1e6, files);
  }
}
