package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.checks.Comparison.demand;
import static io.github.kfac4j.testkit.checks.Comparison.demandThrows;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/** Stacks, and the verbs on matrices and tensors that are hardly arithmetic. */
final class MatrixChecks {
  private MatrixChecks() {}

  static void run(Comparison comparison, Extent extent) {
    stacks(comparison);
    noRequests(comparison);
    for (int n : new int[] {1, 2, 13, 64, 207, 1024}) {
      if (!extent.has(n)) {
        continue;
      }
      String what = "3 of %d x %d".formatted(n, n);
      double[] values = Fixtures.gaussian(comparison.random("allocate", what), 3 * n * n);
      comparison.check(
          "allocate", what, Tolerance.EXACT, side -> side.stack(3, n, n, values).toArray());
      double[] positive = Arrays.stream(values).map(Math::abs).toArray();
      comparison.check(
          "traces",
          what,
          new Tolerance(1e-12, 1e-12), // summed in fp64
          side -> side.backend().traces(List.of(side.stack(3, n, n, positive))).get(0));
    }
    for (int n : new int[] {1, 7, 4096, 10_001, 1_000_001}) {
      tensors(comparison, n);
    }
  }

  private static void stacks(Comparison comparison) {
    comparison.law(
        "allocate",
        "a new stack is zero",
        side -> {
          MatrixStack stack = side.zeros(3, 2, 5);
          demand(Arrays.equals(stack.toArray(), new double[30]), "not 30 zeros");
        });
    comparison.law(
        "allocate",
        "too few elements are refused",
        side -> {
          MatrixStack stack = side.zeros(3, 2, 5);
          demandThrows(IllegalArgumentException.class, "", () -> stack.set(new double[29]));
        });
    for (boolean basis : new boolean[] {false, true}) {
      String what = basis ? "copies of eigenvectors" : "copies";
      Random random = comparison.random("allocate", what);
      double[] values = random.doubles(30, -1, 1).toArray();
      comparison.law(
          "allocate", what + " are exact and their own", side -> copy(side, basis, values));
    }
    comparison.law(
        "allocate",
        "a closed stack says so",
        side -> {
          MatrixStack stack = side.zeros(1, 2, 2);
          stack.close();
          stack.close();
          demandThrows(IllegalStateException.class, "", stack::toArray);
          demandThrows(IllegalStateException.class, "", () -> stack.set(new double[4]));
        });
  }

  private static void copy(Side side, boolean basis, double[] values) {
    Backend backend = side.backend();
    try (MatrixStack stack = basis ? backend.allocateBasis(3, 2, 5) : backend.allocate(3, 2, 5);
        MatrixStack copy = stack.like();
        MatrixStack other = backend.allocate(3, 5, 2)) {
      demand(Arrays.equals(copy.toArray(), new double[30]), "a new copy is not zero");
      demand(copy.isDouble() == stack.isDouble(), "of another precision");
      stack.set(values);
      double[] kept = stack.toArray();
      copy.copyFrom(stack);
      stack.set(new double[30]);
      demand(Arrays.equals(copy.toArray(), kept), "not exact, or not its own");
      demandThrows(IllegalArgumentException.class, "3 x 2 x 5", () -> copy.copyFrom(other));
      demand(Arrays.equals(copy.toArray(), kept), "changed by a refused copy");
    }
  }

  private static void noRequests(Comparison comparison) {
    Map<String, Consumer<Backend>> verbs =
        Map.of(
            "accumulate", backend -> backend.accumulate(List.of()),
            "accumulateInBasis", backend -> backend.accumulateInBasis(List.of()),
            "invert", backend -> demandNone(backend.invert(List.of()).size()),
            "decompose", backend -> demandNone(backend.decompose(List.of()).size()),
            "precondition", backend -> demandNone(backend.precondition(List.of()).length),
            "preconditionInBasis",
                backend -> demandNone(backend.preconditionInBasis(List.of()).length),
            "traces", backend -> demandNone(backend.traces(List.of()).size()),
            "firstNonFinite", backend -> demandNone(backend.firstNonFinite(List.of()).length),
            "largest", backend -> demandNone(backend.largest(List.of()).length),
            "scale", backend -> backend.scale(List.of(), 2));
    verbs.keySet().stream()
        .sorted()
        .forEach(
            verb ->
                comparison.law(
                    verb, "no requests", side -> verbs.get(verb).accept(side.backend())));
  }

  private static void demandNone(int results) {
    demand(results == 0, "%d results of no requests", results);
  }

  private static void tensors(Comparison comparison, int n) {
    String what = "%d elements".formatted(n);
    Random random = comparison.random("firstNonFinite", what);
    double[] good = Fixtures.gaussian(random, n);
    for (double bad :
        new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
      double[] damaged = good.clone();
      damaged[random.nextInt(n)] = bad;
      damaged[n - 1] = bad;
      comparison.check(
          "firstNonFinite",
          what + ", " + bad,
          Tolerance.EXACT,
          side ->
              Arrays.stream(
                      side.backend()
                          .firstNonFinite(
                              List.of(
                                  side.tensor(good),
                                  side.tensor(damaged),
                                  HostTensor.of(damaged, n))))
                  .asDoubleStream()
                  .toArray());
    }
    comparison.checkEach(
        "scale",
        what,
        Tolerance.ofTensors(4),
        side -> {
          HostTensor tensor = side.tensor(good);
          HostTensor doubles = HostTensor.of(good.clone(), n);
          side.backend().scale(List.of(tensor, doubles), 1 / 3.0);
          return List.of(tensor.toArray(), doubles.toArray());
        });
    comparison.checkEach(
        "scale",
        what + ", by a power of two",
        Tolerance.EXACT,
        side -> {
          HostTensor tensor = side.tensor(good);
          HostTensor doubles = HostTensor.of(good.clone(), n);
          side.backend().scale(List.of(tensor, doubles), 0.5);
          return List.of(tensor.toArray(), doubles.toArray());
        });
  }
}
