package io.github.kfac4j.testkit.checks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Percentage.withPercentage;

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
    Comparison comparison = new Comparison(new BrokenBackend(fault), 7, results);
    String verb = verb(fault);
    switch (verb) {
      case "patches", "accumulate" -> new MomentChecks(comparison).run(Extent.USUAL);
      case "accumulateInBasis" -> new BasisChecks(comparison).run(Extent.USUAL);
      case "invert" -> new InversionChecks(comparison).run(Extent.USUAL);
      case "decompose" -> new EigenChecks(comparison).run(Extent.USUAL);
      case "precondition", "preconditionInBasis" ->
          new PreconditioningChecks(comparison).run(Extent.USUAL);
      default -> MatrixChecks.run(comparison, Extent.USUAL);
    }
  }

  private static String verb(Fault fault) {
    return switch (fault) {
      case NONE, TRACE -> "traces";
      case FINITE -> "firstNonFinite";
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
    Comparison comparison = new Comparison(new BrokenBackend(Fault.NONE), 7, STOP_AT_MISS);
    MatrixChecks.run(comparison, Extent.USUAL);
    new BasisChecks(comparison).run(Extent.USUAL);
  }

  @Test
  void whatABackendThrowsIsAMissAndTheRestGoesOn() {
    List<Check> checks = new ArrayList<>();
    Comparison comparison = new Comparison(new BrokenBackend(Fault.EXCEPTION), 7, checks::add);
    comparison.check(
        "accumulate",
        "nothing",
        0,
        side -> {
          side.backend().accumulate(List.of());
          return new double[0];
        });
    comparison.check("allocate", "one", 0, side -> side.zeros(1, 1, 1).toArray());
    assertThat(checks.get(0).ok()).isFalse();
    assertThat(checks.get(1).ok()).isTrue();
  }

  @Test
  void casesAreDeterminedByTheSeed() {
    Comparison one = new Comparison(new BrokenBackend(Fault.NONE), 1, check -> {});
    Comparison same = new Comparison(new BrokenBackend(Fault.NONE), 1, check -> {});
    Comparison other = new Comparison(new BrokenBackend(Fault.NONE), 2, check -> {});
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
    double other = Fixtures.frobeniusError(Literal.inverseInFloat(matrix, n), exact);
    assertThat(error).isLessThan(1e-3).isLessThan(5 * other + 1e-6);
    assertThat(5 * error + 1e-6).isGreaterThan(other); // nor is it better than fp32 can be
  }

  @Test
  void theSpectralNormIsThatOfTheDefinition() {
    double[] diagonal = Fixtures.damped(new double[16], 4, 0, 1);
    diagonal[5] = 7;
    assertThat(Literal.norm(diagonal, 4)).isCloseTo(7, withPercentage(1));
  }
}
