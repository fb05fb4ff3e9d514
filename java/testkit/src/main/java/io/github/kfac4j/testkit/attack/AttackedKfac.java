package io.github.kfac4j.testkit.attack;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** One K-FAC that gets requests, beside one in fp64 that gets the same. */
final class AttackedKfac {
  private static final int VERBS = 7;

  /** Squares of numbers this far apart have no room in fp32 beside each other. */
  private static final double SPREAD = 1e-18;

  /** Below, squares have no room in fp32. */
  private static final double LEAST = 1e-22;

  private final Kfac kfac;
  private final Reference reference;
  private final Layer layer;
  private final RandomRequests random;
  private final Choices choices;

  AttackedKfac(Kfac kfac, Kfac reference, Layer layer, RandomRequests random, Choices choices) {
    this.kfac = kfac;
    this.reference = new Reference(reference);
    this.layer = layer;
    this.random = random;
    this.choices = choices;
  }

  /** Steps that were compared. */
  int compared() {
    return reference.compared();
  }

  /** Runs a request, the i-th; whether it was refused. */
  boolean refused(int i) {
    // mostly in the order of a step
    int verb = choices.oneIn(4) ? choices.number(0, VERBS - 1) : i % 3;
    Map<String, StoredTensor> before = kfac.toTensors();
    try {
      run(verb, before);
      requireFinite(kfac.toTensors());
      return false;
    } catch (IllegalArgumentException | IllegalStateException e) {
      requireReason(e);
      requireSame(before, kfac.toTensors(), "refused", e);
      return true;
    } catch (InversionFailedException e) {
      requireReason(e);
      kfac.discardStep();
      reference.leave();
      requireFinite(kfac.toTensors());
      return true;
    } catch (RuntimeException e) {
      throw new AssertionError("an exception that nothing documents: " + e, e);
    }
  }

  private void run(int verb, Map<String, StoredTensor> before) {
    switch (verb) {
      case 0:
        List<Observation> batch = List.of(random.observation(RequestAttack.NAME, layer));
        Share share = choices.oneIn(4) ? Share.of(choices.of(0.25, 0.5)) : Share.ALL;
        both(one -> one.observe(batch, share));
        if (uneven(batch.get(0).input()) || uneven(batch.get(0).outputGrad())) {
          reference.leave();
        }
        break;
      case 1:
        reference.refresh();
        List<LayerReport> reports = kfac.refresh();
        requireHonest(reports);
        reference.refreshed(reports);
        break;
      case 2:
        precondition(random.gradient(RequestAttack.NAME, layer));
        break;
      case 3:
        both(Kfac::discardStep);
        break;
      case 4:
        double factor = choices.of(0.5, 1.5, 2.0);
        both(one -> one.reweigh(factor));
        break;
      case 5:
        double damping = choices.size(-40, 10);
        both(one -> one.reconfigure(one.options().withDamping(damping)));
        reference.reconfigured();
        break;
      default:
        both(one -> one.restore(one.toTensors()));
        requireSame(before, kfac.toTensors(), "restored", null);
    }
  }

  /** Whether fp32 has no room for squares of some numbers beside those of others. */
  private static boolean uneven(Tensor tensor) {
    double[] sizes =
        Arrays.stream(((HostTensor) tensor).toArray()).map(Math::abs).filter(x -> x > 0).toArray();
    double largest = Arrays.stream(sizes).max().orElse(0);
    return Arrays.stream(sizes).anyMatch(x -> x < SPREAD * largest || x < LEAST && largest > LEAST);
  }

  private void both(Consumer<Kfac> verb) {
    RuntimeException refusal = reference.run(verb);
    try {
      verb.accept(kfac);
    } catch (IllegalArgumentException | IllegalStateException e) {
      require(reference.left() || refusal != null, "refused here and not in fp64", e);
      throw e;
    }
    require(reference.left() || refusal == null, "refused in fp64 and not here", refusal);
  }

  private void precondition(LayerGradient gradient) {
    List<HostTensor> tensors =
        Stream.of(gradient.weight(), gradient.bias())
            .filter(Objects::nonNull)
            .map(HostTensor.class::cast)
            .toList();
    List<double[]> before = tensors.stream().map(HostTensor::toArray).toList();
    List<double[]> expected = reference.precondition(gradient, tensors);
    try {
      kfac.precondition(List.of(gradient));
    } catch (IllegalArgumentException | IllegalStateException e) {
      for (int i = 0; i < before.size(); i++) {
        boolean same = Arrays.equals(tensors.get(i).toArray(), before.get(i));
        require(same, "refused, a gradient has changed", e);
      }
      throw e;
    }
    for (Tensor tensor : tensors) {
      for (double value : ((HostTensor) tensor).toArray()) {
        require(Double.isFinite(value), "a preconditioned gradient is " + value, null);
      }
    }
    reference.compare(expected, tensors.stream().map(HostTensor::toArray).toList());
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

  private static void requireSame(
      Map<String, StoredTensor> before,
      Map<String, StoredTensor> after,
      String what,
      RuntimeException e) {
    before.forEach(
        (name, tensor) ->
            require(tensor.equals(after.get(name)), what + ", " + name + " has changed", e));
    require(before.equals(after), what + ", the state has other tensors", e);
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

  /** A refusal says why. */
  static void requireReason(RuntimeException e) {
    require(e.getMessage() != null && !e.getMessage().isBlank(), "a refusal without a message", e);
  }

  static void require(boolean holds, String fault, Throwable cause) {
    if (!holds) {
      throw new AssertionError(fault + (cause == null ? "" : " (" + cause + ")"), cause);
    }
  }
}
