package io.github.kfac4j.testkit.attack;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import java.util.Map;

/**
 * Requests of any kind to K-FAC on a backend. Each does what the fp64 backend does, or is refused
 * with a documented exception and changes nothing; what is finite stays finite, or is not reported
 * as well. Everything else is an {@link AssertionError}.
 */
public final class RequestAttack implements AutoCloseable {
  static final String NAME = "attacked";
  private static final int MAX_VERBS = 8;
  private static final int MAX_FAULTS = 100;

  private final Backend backend;
  private final Backend reference = new JavaBackend();
  private long requests;
  private long refused;
  private long compared;

  /** On a backend, which stays the caller's. */
  public RequestAttack(Backend backend) {
    this.backend = backend;
  }

  /**
   * {@code RequestAttack BACKEND REQUESTS [SEED]} prints each fault with its seed and what it did;
   * exit 1 where there are faults.
   */
  public static void main(String[] arguments) {
    long most = Long.parseLong(arguments[1]);
    long seed = arguments.length > 2 ? Long.parseLong(arguments[2]) : 1;
    int faults = 0;
    try (Backend backend = Backends.require(arguments[0]);
        RequestAttack attack = new RequestAttack(backend)) {
      for (; attack.requests < most && faults < MAX_FAULTS; seed++) {
        try {
          attack.run(new Choices(seed));
        } catch (AssertionError e) {
          faults++;
          System.out.println("seed " + seed + ": " + e.getMessage());
        }
      }
      System.out.printf(
          "%s: %d requests, of which %d refused; %d steps compared with fp64; %d faults; next seed %d%n",
          arguments[0], attack.requests, attack.refused, attack.compared, faults, seed);
    }
    System.exit(faults == 0 ? 0 : 1);
  }

  /** The same from seed 1 on; a fault names its seed. */
  public void run(long most) {
    for (long seed = 1; requests < most; seed++) {
      try {
        run(new Choices(seed));
      } catch (AssertionError e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }

  /** Some requests to one K-FAC. */
  public void run(Choices choices) {
    RandomRequests random = new RandomRequests(choices);
    Layer layer;
    Kfac made;
    KfacOptions options;
    requests++;
    try {
      layer = random.layer();
      options = random.options();
      made = new Kfac(backend, Map.of(NAME, layer), options);
    } catch (IllegalArgumentException e) {
      refused++;
      AttackedKfac.requireReason(e);
      return;
    }
    try (Kfac kfac = made;
        Kfac like = new Kfac(reference, Map.of(NAME, layer), options)) {
      AttackedKfac attacked = new AttackedKfac(kfac, like, layer, random, choices);
      for (int i = 0; i < MAX_VERBS; i++) {
        requests++;
        refused += attacked.refused(i) ? 1 : 0;
      }
      compared += attacked.compared();
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + ": " + layer + ", " + options, e);
    }
  }

  @Override
  public void close() {
    reference.close();
  }
}
