package io.github.kfac4j.testkit.checks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Percentage.withPercentage;

import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import io.github.kfac4j.testkit.checks.BrokenBackend.Fault;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The checks are checked themselves: they must find every fault. */
class BackendChecksTest {

  /** Ends a run at its first miss. */
  private static final class Miss extends Error {
    private static final long serialVersionUID = 1L;
    private final transient Check check;

    Miss(Check check) {
      super(check.toString());
      this.check = check;
    }
  }

  private static final Consumer<Check> STOP_AT_MISS =
      check -> {
        if (!check.ok()) {
          throw new Miss(check);
        }
      };

  private static void run(Fault fault, Consumer<Check> results) {
    group(fault).run(new BrokenBackend(fault), new JavaBackend(), 7, Extent.USUAL, results);
  }

  private static BackendChecks group(Fault fault) {
    return switch (verb(fault)) {
      case "patches", "accumulate" -> BackendChecks.MOMENTS;
      case "accumulateInBasis" -> BackendChecks.BASIS_MOMENTS;
      case "invert" -> BackendChecks.INVERSES;
      case "decompose" -> BackendChecks.EIGENVALUES;
      case "precondition" -> BackendChecks.PRECONDITIONING;
      case "preconditionInBasis" -> BackendChecks.BASIS_PRECONDITIONING;
      case "largest" -> BackendChecks.RANGE;
      default -> BackendChecks.MATRICES;
    };
  }

  private static String verb(Fault fault) {
    return switch (fault) {
      case NONE, TRACE -> "traces";
      case FINITE -> "firstNonFinite";
      case LARGEST -> "largest";
      case SCALE -> "scale";
      case PATCHES -> "patches";
      case MOMENT, NOT_A_NUMBER, EXCEPTION -> "accumulate";
      case BASIS_MOMENT -> "accumulateInBasis";
      case INVERSE, INVERSE_STATUS, OLD_INVERSE_LOST, SOURCE_CHANGED -> "invert";
      case EIGENVALUE, EIGENVECTOR -> "decompose";
      case STEP, BIAS_STEP, INNER_PRODUCT -> "precondition";
      case BASIS_STEP -> "preconditionInBasis";
    };
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void everyFaultIsFoundInItsVerb(Fault fault) {
    assertThatThrownBy(() -> run(fault, STOP_AT_MISS))
        .isInstanceOfSatisfying(
            Miss.class, miss -> assertThat(miss.check.verb()).isEqualTo(verb(fault)));
  }

  @Test
  void withoutAFaultThereIsNoMiss() {
    for (BackendChecks group :
        List.of(BackendChecks.MATRICES, BackendChecks.RANGE, BackendChecks.BASIS_MOMENTS)) {
      group.run(new BrokenBackend(Fault.NONE), new JavaBackend(), 7, Extent.USUAL, STOP_AT_MISS);
    }
  }

  @Test
  void whatABackendThrowsIsAMissAndTheRestGoesOn() {
    List<Check> checks = new ArrayList<>();
    Comparison comparison = comparison(Fault.EXCEPTION, 7, checks::add);
    comparison.check(
        "accumulate",
        "nothing",
        Tolerance.EXACT,
        side -> {
          side.backend().accumulate(List.of());
          return new double[0];
        });
    comparison.check("allocate", "one", Tolerance.EXACT, side -> side.zeros(1, 1, 1).toArray());
    assertThat(checks.get(0).ok()).isFalse();
    assertThat(checks.get(1).ok()).isTrue();
  }

  private static Comparison comparison(Fault fault, long seed, Consumer<Check> results) {
    return new Comparison(new BrokenBackend(fault), new JavaBackend(), seed, results);
  }

  @Test
  void casesAreDeterminedByTheSeed() {
    Comparison one = comparison(Fault.NONE, 1, check -> {});
    Comparison same = comparison(Fault.NONE, 1, check -> {});
    Comparison other = comparison(Fault.NONE, 2, check -> {});
    long first = one.random("invert", "x").nextLong();
    assertThat(same.random("invert", "x").nextLong()).isEqualTo(first);
    assertThat(other.random("invert", "x").nextLong()).isNotEqualTo(first);
    assertThat(one.random("invert", "y").nextLong()).isNotEqualTo(first);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 13, 64, 130})
  void theYardstickIsAnOrdinaryFp32Inverse(int n) {
    double[] factor = Fixtures.covariance(new Random(3), n, Math.max(1, n / 2));
    double[] matrix = Fixtures.damped(factor, n, 1, 1e-3);
    double[] exact = Literal.inverse(matrix, n);
    double error = Fixtures.frobeniusError(PlainCholesky.inverse(matrix, n), exact);
    double other = Fixtures.frobeniusError(inverseInFloat(matrix, n), exact);
    assertThat(error).isLessThan(1e-3).isLessThan(5 * other + 1e-6);
    assertThat(5 * error + 1e-6).isGreaterThan(other); // nor is it better than fp32 can be
  }

  @Test
  void theSpectralNormIsThatOfTheDefinition() {
    double[] diagonal = Fixtures.damped(new double[16], 4, 0, 1);
    diagonal[5] = 7;
    assertThat(Literal.norm(diagonal, 4)).isCloseTo(7, withPercentage(1));
  }

  /**
   * The inverse by an unblocked Cholesky factorisation in fp32, as LAPACK's fp32 routines do it.
   */
  private static double[] inverseInFloat(double[] matrix, int n) {
    float[] l = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        float sum = (float) matrix[i * n + j];
        for (int k = 0; k < j; k++) {
          sum -= l[i * n + k] * l[j * n + k];
        }
        l[i * n + j] = i == j ? (float) Math.sqrt(sum) : sum / l[j * n + j];
      }
    }
    float[] w = new float[n * n];
    for (int j = 0; j < n; j++) {
      for (int i = j; i < n; i++) {
        float sum = i == j ? 1 : 0;
        for (int k = j; k < i; k++) {
          sum -= l[i * n + k] * w[k * n + j];
        }
        w[i * n + j] = sum / l[i * n + i];
      }
    }
    double[] inverse = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        float sum = 0;
        for (int k = i; k < n; k++) {
          sum += w[k * n + i] * w[k * n + j];
        }
        inverse[i * n + j] = sum;
        inverse[j * n + i] = sum;
      }
    }
    return inverse;
  }
}
