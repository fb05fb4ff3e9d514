package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.cpu.scheduling.Pool;
import java.util.ArrayList;
import java.util.List;

/**
 * Sees to it that inverses are within the bound of {@link InverseAccuracy}: those that are not
 * certain to be are tested, those that fail are made anew in fp64 and tested again.
 */
public final class TestedInverses {
  private final Pool pool;
  private final Arena memory;

  /** An inverse of a request that may be tested. */
  private record Candidate(DampedMatrix matrix, CpuMatrixStack stack, int k, Status[] statuses) {
    Floats inverse() {
      return stack.matrix(k);
    }

    /** The whole test, which only an inverse from fp64 needs that has the quick one against it. */
    Status test() {
      int n = matrix.n();
      return InverseAccuracy.test(
          elements(matrix.source()), 0, n, matrix.scale(), matrix.damping(), elements(inverse()));
    }

    private double[] elements(Floats m) {
      double[] elements = new double[matrix.n() * matrix.n()];
      for (int i = 0; i < elements.length; i++) {
        elements[i] = m.get(i);
      }
      return elements;
    }
  }

  public TestedInverses(Pool pool, Arena memory) {
    this.pool = pool;
    this.memory = memory;
  }

  /**
   * Tests the inverses that were made in fp32; the statuses are final then.
   *
   * @param certain which of them need no test
   */
  public void test(
      List<InvertRequest> inversions, List<Status[]> statuses, List<boolean[]> certain) {
    List<Candidate> doubtful = new ArrayList<>();
    List<Candidate> again = new ArrayList<>();
    for (int i = 0; i < statuses.size(); i++) {
      for (int k = 0; k < statuses.get(i).length; k++) {
        Status status = statuses.get(i)[k];
        if (status.kind() == Status.Kind.NOT_POSITIVE_DEFINITE) {
          again.add(place(inversions.get(i), k, statuses.get(i)));
        } else if (status.ok() && !certain.get(i)[k]) {
          doubtful.add(place(inversions.get(i), k, statuses.get(i)));
        }
      }
    }
    again.addAll(failed(doubtful));
    List<Plan> plans = new ArrayList<>();
    for (Candidate place : again) {
      plans.add(
          Plan.of(
              4 * Math.pow(place.matrix.n(), 3),
              s ->
                  place.statuses[place.k] =
                      DoubleInverse.invert(place.matrix, place.inverse(), s)));
    }
    pool.run(plans);
    failed(again.stream().filter(place -> place.statuses[place.k].ok()).toList())
        .forEach(place -> place.statuses[place.k] = place.test());
  }

  /** Those that the quick test does not accept. */
  private List<Candidate> failed(List<Candidate> places) {
    memory.reset();
    List<InverseTest> tests = new ArrayList<>();
    for (Candidate place : places) {
      tests.add(new InverseTest(place.matrix, place.inverse(), memory));
    }
    pool.run(tests);
    List<Candidate> failed = new ArrayList<>();
    for (int i = 0; i < tests.size(); i++) {
      if (!tests.get(i).accepted()) {
        failed.add(places.get(i));
      }
    }
    return failed;
  }

  private static Candidate place(InvertRequest inversion, int k, Status[] statuses) {
    return new Candidate(
        InversionPlans.damped(inversion, k), CpuMatrixStack.of(inversion.inverse()), k, statuses);
  }
}
