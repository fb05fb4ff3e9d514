package io.github.kfac4j.testkit.attack;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.testkit.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * {@code CheckpointAttack COUNT [SEED]}: mutated files of a K-FAC state, each of which must be
 * refused with an {@link IOException} that says why and change nothing; exit 1 and the seed of the
 * first that is not.
 */
public final class CheckpointAttack {
  private final Path file;
  private final Kfac kfac;
  private final byte[] good;
  private final Map<String, StoredTensor> before;

  private CheckpointAttack(Path file, Kfac kfac) throws IOException {
    this.file = file;
    this.kfac = kfac;
    kfac.observe(
        List.of(
            Observation.ofSumLoss(
                "fc",
                Fixtures.direct(Fixtures.gaussian(new Random(1), 12), 4, 3),
                Fixtures.direct(Fixtures.gaussian(new Random(2), 8), 4, 2))));
    kfac.refresh();
    kfac.endStep();
    kfac.state().save(file);
    this.good = Files.readAllBytes(file);
    this.before = kfac.toTensors();
  }

  public static void main(String[] arguments) throws IOException {
    int count = Integer.parseInt(arguments[0]);
    long seed = arguments.length > 1 ? Long.parseLong(arguments[1]) : 1;
    String fault = attack(count, seed);
    System.out.println(
        fault != null ? fault : count + " mutated files, 0 accepted; next seed " + (seed + count));
    System.exit(fault != null ? 1 : 0);
  }

  /** Loads mutated files; the first fault with its seed, or null. */
  public static String attack(int count, long first) throws IOException {
    Path file = Files.createTempFile("mutated", ".safetensors");
    try (Kfac kfac =
        new Kfac(new JavaBackend(), Map.of("fc", new Dense(3, 2, true)), KfacOptions.DEFAULT)) {
      CheckpointAttack attack = new CheckpointAttack(file, kfac);
      for (long seed = first; seed < first + count; seed++) {
        String fault = attack.fault(new Random(seed));
        if (fault != null) {
          return "seed " + seed + ": " + fault;
        }
      }
      return null;
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private String fault(Random random) throws IOException {
    Files.write(file, mutated(random));
    try {
      kfac.state().load(file);
      return "accepted";
    } catch (IOException e) {
      if (e.getMessage() == null || e.getMessage().isBlank()) {
        return "refused without a reason";
      }
      return kfac.toTensors().equals(before) ? null : "refused, the state has changed";
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      return e.toString();
    }
  }

  /** Another content than the good one. */
  private byte[] mutated(Random random) {
    byte[] bad = good.clone();
    do {
      for (int i = random.nextInt(3); i >= 0; i--) {
        int at = random.nextInt(bad.length);
        switch (random.nextInt(6)) {
          case 0 -> bad[at] ^= (byte) (1 << random.nextInt(8));
          case 1 -> bad[at] = (byte) random.nextInt(256);
          case 2 -> bad = Arrays.copyOf(bad, 1 + at);
          case 3 -> bad = Arrays.copyOf(bad, bad.length + 1 + random.nextInt(64));
          case 4 -> Arrays.fill(bad, at, Math.min(bad.length, at + random.nextInt(64)), (byte) 0);
          default -> {
            int length = Math.min(random.nextInt(64), Math.min(good.length, bad.length - at));
            System.arraycopy(good, random.nextInt(good.length - length), bad, at, length);
          }
        }
      }
    } while (Arrays.equals(good, bad));
    return bad;
  }
}
