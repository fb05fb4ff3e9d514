package io.github.kfac4j.nqm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The closed forms against the recursion and against 120-digit arithmetic. */
class ClosedFormTest {

  /** One coordinate: a method, x and the decay. */
  record Coordinate(Method method, double x, double decay) {}

  @Provide
  Arbitrary<Coordinate> coordinates() {
    // the edges: far and near both critical dampings, the limit of stability, and equal EMA roots
    return Combinators.combine(
            Arbitraries.of(Method.class),
            Arbitraries.integers().between(0, 5),
            Arbitraries.doubles().between(0, 1),
            Arbitraries.doubles().between(-15, 0),
            Arbitraries.doubles().between(-6, 0),
            Arbitraries.of(-1.0, 1.0))
        .as(ClosedFormTest::coordinate)
        .filter(c -> c.x > 1e-12 && c.x < c.method.stabilityLimit(c.decay) * (1 - 1e-12));
  }

  private static Coordinate coordinate(
      Method method, int where, double share, double exponent, double decayExponent, double sign) {
    double decay = method == Method.SGD ? 0 : 1 - Math.pow(10, decayExponent);
    double limit = method.stabilityLimit(decay);
    double lower = Math.pow((1 - decay) / (1 + Math.sqrt(decay)), 2);
    double upper = Math.pow(1 + Math.sqrt(decay), 2);
    double offset = sign * Math.pow(10, exponent);
    double x =
        switch (where) {
          case 0 -> share * limit;
          case 1 -> Math.pow(10, 0.8 * exponent);
          case 2 -> lower * (1 + offset);
          case 3 -> upper * (1 + offset);
          case 4 -> limit * (1 - Math.pow(10, exponent));
          default -> method == Method.EMA ? (1 - decay) * (1 + offset) : 1 + offset;
        };
    return new Coordinate(method, x, decay);
  }

  @Property(tries = 1000)
  void theNoiseGainHasTenDigits(@ForAll("coordinates") Coordinate c, @ForAll("steps") long steps) {
    Response response = c.method.response(c.x, c.decay);
    double scale = c.method.noiseScale(c.decay);
    double exact = ExactMoments.after(c.method, c.x, c.decay, steps).noiseGain();
    assertThat(scale * response.noiseGain(steps)).isCloseTo(exact, withinPercentage(1e-8));
  }

  @Property(tries = 1000)
  void theDecayHasTenDigitsOfItsEnvelope(
      @ForAll("coordinates") Coordinate c, @ForAll("steps") long steps) {
    double decay = c.method.response(c.x, c.decay).decay(steps);
    double exact = ExactMoments.after(c.method, c.x, c.decay, steps).squaredDecay();
    // an oscillating coordinate passes through zero, so that only its amplitude is a scale
    double envelope = steps == 1 ? 1 : exact;
    for (long t = Math.max(1, steps / 2); t < 2 * steps; t += 1 + steps / 16) {
      envelope = Math.max(envelope, ExactMoments.after(c.method, c.x, c.decay, t).squaredDecay());
    }
    assertThat(decay * decay).isCloseTo(exact, within(1e-10 * envelope + 1e-28));
  }

  @Provide
  Arbitrary<Long> steps() {
    return Arbitraries.doubles().between(0, 6).map(e -> Math.round(Math.pow(10, e)));
  }

  @Property(tries = 500)
  void theLimitIsTheSteadyGain(@ForAll("coordinates") Coordinate c) {
    double late = ExactMoments.after(c.method, c.x, c.decay, 1L << 55).noiseGain();
    assertThat(c.method.steadyGain(c.x, c.decay)).isCloseTo(late, withinPercentage(1e-8));
  }

  @Property(tries = 300)
  void theRiskAgreesWithTheRecursion(
      @ForAll("coordinates") Coordinate c,
      @ForAll("powers") double power,
      @ForAll("counts") int steps) {
    // near the limit of stability the recursion itself loses digits
    Assume.that(c.x < 0.99 * c.method.stabilityLimit(c.decay));
    Spectrum spectrum =
        Spectrum.of(
            new double[] {1, 0.5, 0.37, 0.01, 1e-4},
            new double[] {1, 2, 1, 40, 500},
            new double[] {1, 0.2, 0, 0.3, 1e-3});
    NoisyQuadratic model = new NoisyQuadratic(spectrum, power, 17);
    Algorithm algorithm = new Algorithm(c.method, c.x, c.decay);
    Recursion recursion = new Recursion(model, algorithm);
    while (recursion.steps() < steps) {
      recursion.step();
    }
    assertThat(model.risk(algorithm, steps)).isCloseTo(recursion.risk(), withinPercentage(1e-8));
  }

  @Provide
  Arbitrary<Double> powers() {
    return Arbitraries.of(0.0, 0.25, 0.5, 0.75, 1.0);
  }

  @Provide
  Arbitrary<Integer> counts() {
    return Arbitraries.integers().between(0, 3000);
  }
}
