package io.github.kfac4j.testkit.attack;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Requests of any kind to K-FAC on a backend. Each does what it says, or is refused with a
 * documented exception and changes nothing; what is finite stays finite, or is not reported as
 * well. Everything else is an {@link AssertionError}.
 */
public final class RequestAttack {
  private static final String NAME = "attacked";
  private static final int MOST_VERBS = 8;

  private final Backend backend;
  private long requests;
  private long refused;

  /** On a backend, which stays the caller's. */
  public RequestAttack(Backend backend) {
    this.backend = backend;
  }

  /** {@code RequestAttack BACKEND REQUESTS [SEED]} prints what it did, and the seed of a fault. */
  public static void main(String[] arguments) {
    long most = Long.parseLong(arguments[1]);
    long seed = arguments.length > 2 ? Long.parseLong(arguments[2]) : 1;
    System.getLogger("io.github.kfac4j"); // its lines are not what is looked for
    try (Backend backend = Backends.require(arguments[0])) {
      RequestAttack attack = new RequestAttack(backend);
      for (; attack.requests < most; seed++) {
        try {
          attack.run(new Choices(seed));
        } catch (AssertionError e) {
          e.addSuppressed(new AssertionError("seed " + seed));
          throw e;
        }
      }
      System.out.printf(
          "%s: %d requests, of which %d refused; next seed %d%n",
          arguments[0], attack.requests, attack.refused, seed);
    }
  }

  /** Some requests to one K-FAC. */
  public void run(Choices choices) {
    RandomRequests random = new RandomRequests(choices);
    Layer[] layer = new Layer[1];
    Kfac[] made = new Kfac[1];
    requests++;
    try {
      layer[0] = random.layer();
      made[0] = new Kfac(backend, Map.of(NAME, layer[0]), random.options());
    } catch (IllegalArgumentException e) {
      refuse(e);
      return;
    }
    try (Kfac kfac = made[0]) {
      for (int i = 0; i < MOST_VERBS; i++) {
        verb(kfac, choices, random, layer[0], i);
      }
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + ": " + layer[0] + ", " + made[0].options(), e);
    }
  }

  private void verb(Kfac kfac, Choices choices, RandomRequests random, Layer layer, int i) {
    // mostly in the order of a step
    int verb = choices.oneIn(4) ? choices.number(0, 4) : i % 3;
    Map<String, StoredTensor> before = kfac.toTensors();
    requests++;
    try {
      switch (verb) {
        case 0:
          List<Observation> batch = List.of(random.observation(NAME, layer));
          kfac.observe(batch);
          break;
        case 1:
          requireHonest(kfac.refresh());
          break;
        case 2:
          precondition(kfac, random.gradient(NAME, layer));
          break;
        case 3:
          kfac.discardStep();
          break;
        default:
          kfac.restore(kfac.toTensors());
          require(kfac.toTensors().equals(before), "restored, the state is another", null);
      }
      requireFinite(kfac.toTensors());
    } catch (IllegalArgumentException | IllegalStateException e) {
      refuse(e);
      require(kfac.toTensors().equals(before), "refused, the state has changed", e);
    } catch (InversionFailedException e) {
      refuse(e);
      kfac.discardStep();
      requireFinite(kfac.toTensors());
    } catch (RuntimeException e) {
      throw new AssertionError("an exception that nothing documents: " + e, e);
    }
  }

  private void precondition(Kfac kfac, LayerGradient gradient) {
    List<Tensor> tensors =
        Stream.of(gradient.weight(), gradient.bias()).filter(Objects::nonNull).toList();
    List<double[]> before = tensors.stream().map(t -> ((HostTensor) t).toArray()).toList();
    try {
      kfac.precondition(List.of(gradient));
    } catch (IllegalArgumentException | IllegalStateException e) {
      for (int i = 0; i < before.size(); i++) {
        require(
            java.util.Arrays.equals(((HostTensor) tensors.get(i)).toArray(), before.get(i)),
            "refused, a gradient has changed",
            e);
      }
      throw e;
    }
    for (Tensor tensor : tensors) {
      for (double value : ((HostTensor) tensor).toArray()) {
        require(Double.isFinite(value), "a preconditioned gradient is " + value, null);
      }
    }
  }

  private static void requireHonest(List<LayerReport> reports) {
    for (LayerReport report : reports) {
      for (LayerReport.GroupReport group : report.perGroup()) {
        boolean ok = group.status().equals("ok");
        for (LayerReport.FactorReport factor : group.factors()) {
          require(
              !ok || factor.condition() >= 1 - 1e-3 && Double.isFinite(factor.damping()),
              "reported ok: " + group,
              null);
        }
      }
    }
  }

  private static void requireFinite(Map<String, StoredTensor> state) {
    state.forEach(
        (name, tensor) -> {
          if (tensor.isNumeric() && !name.endsWith("identity")) {
            for (double value : tensor.toDoubles()) {
              require(Double.isFinite(value), "the state has " + value + " in " + name, null);
            }
          }
        });
  }

  private void refuse(RuntimeException e) {
    refused++;
    require(e.getMessage() != null && !e.getMessage().isBlank(), "a refusal without a message", e);
  }

  private static void require(boolean holds, String fault, Throwable cause) {
    if (!holds) {
      throw new AssertionError(fault, cause);
    }
  }
}
