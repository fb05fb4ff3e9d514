package io.github.kfac4j.options;

import io.github.kfac4j.fisher.Fisher;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Settings of K-FAC, immutable. Start from {@link #DEFAULT} and change what is needed:
 *
 * <pre>{@code KfacOptions.DEFAULT.withDamping(1e-2).withKlClip(1e-4)}</pre>
 *
 * @param damping Tikhonov damping lambda, positive
 * @param dampingMode how damping enters the inverse
 * @param convention scaling constants
 * @param estimator which output gradients the observations bring, which some conventions scale by
 * @param approximation what the Fisher block is approximated by
 * @param approximations other ones for layers by name
 * @param decay of the running averages of the factors, in [0, 1), at each update, whatever the
 *     interval; 0 means the last batch alone
 * @param klClip bound on the squared step length in the Fisher metric (Ba et al. 2017, section 5);
 *     empty for none
 * @param learningRate of the trainer's update rule, which the clip depends on; nothing is clipped
 *     as long as it is empty. Adapters tell it before every step
 * @param intervals when factors and inverses are renewed; with EKFAC the factors more often than
 *     the inverses, or both in every step if the caller observes once more after each refresh
 * @param maxExamples how many examples of a batch, its first ones, go into the factors at most
 * @param inversePolicy what to do when an inversion fails
 */
public record KfacOptions(
    double damping,
    DampingMode dampingMode,
    Convention convention,
    Fisher.Estimator estimator,
    Approximation approximation,
    Map<String, Approximation> approximations,
    double decay,
    OptionalDouble klClip,
    OptionalDouble learningRate,
    Intervals intervals,
    int maxExamples,
    InversePolicy inversePolicy) {

  /**
   * Damping 1e-3 factored, convention KFC, empirical Fisher, Kronecker, decay 0.95, factors and
   * inverses every 10 steps, a KL clip of 1e-3 from when the learning rate is known.
   */
  public static final KfacOptions DEFAULT =
      new KfacOptions(
          1e-3,
          DampingMode.FACTORED,
          Convention.KFC,
          Fisher.Estimator.EMPIRICAL,
          Approximation.KRONECKER,
          Map.of(),
          0.95,
          OptionalDouble.of(1e-3),
          OptionalDouble.empty(),
          Intervals.of(10, 10),
          Integer.MAX_VALUE,
          InversePolicy.DEFAULT);

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming the first setting that is out of range, and its value
   */
  public KfacOptions {
    approximations = Map.copyOf(approximations);
    Objects.requireNonNull(estimator, "estimator");
    require(damping > 0 && Double.isFinite(damping), "damping", damping, "positive");
    require(decay >= 0 && decay < 1, "decay", decay, "in [0, 1)");
    requirePositive("learning rate", learningRate);
    requirePositive("KL clip", klClip);
    require(maxExamples > 0, "number of examples for the factors", maxExamples, "positive");
    require(
        approximation.dampingModes().contains(dampingMode),
        "damping mode",
        dampingMode,
        "in " + approximation.dampingModes() + " for the approximation " + approximation);
    require(
        convention.has(approximation),
        "convention",
        convention.id(),
        "another one for the approximation "
            + approximation
            + ", which kfac-pytorch does not have");
    Optional<Approximation> measuring = measuring(approximation, approximations);
    if (measuring.isPresent() && !measures(intervals)) {
      throw new IllegalArgumentException(
          measuring.get()
              + " measures its moments between refreshes: it needs a factor interval below that of"
              + " the inverses, and no adaptive intervals, but has "
              + intervals);
    }
  }

  /** An approximation that measures moments between refreshes, if a layer may have one. */
  public Optional<Approximation> measuring() {
    return measuring(approximation, approximations);
  }

  /**
   * Refuses settings that measure nothing in steps that observe before they refresh.
   *
   * @throws IllegalArgumentException if moments are measured between refreshes, and inverses
   *     renewed in every step
   */
  public void requireMeasurable() {
    if (measuring().isPresent() && intervals.inverses() == 1) {
      throw new IllegalArgumentException(
          ("%s measures its moments between refreshes, but inverses are renewed in every step:"
                  + " choose intervals such as withIntervals(1, 10)")
              .formatted(measuring().get()));
    }
  }

  private static Optional<Approximation> measuring(
      Approximation common, Map<String, Approximation> named) {
    return Stream.concat(Stream.of(common), named.values().stream())
        .filter(Approximation::measuresBetweenRefreshes)
        .findFirst();
  }

  /** Whether there are observations between refreshes; with 1 and 1 the caller makes them. */
  private static boolean measures(Intervals intervals) {
    return intervals.similarity().isEmpty()
        && (intervals.factors() < intervals.inverses() || intervals.inverses() == 1);
  }

  /** Other damping. A loss with an L2 term in the weights should have its coefficient added. */
  public KfacOptions withDamping(double value) {
    return with(copy -> copy.damping = value);
  }

  /** Other damping mode. */
  public KfacOptions withDampingMode(DampingMode value) {
    return with(copy -> copy.dampingMode = value);
  }

  /** Another convention. */
  public KfacOptions withConvention(Convention value) {
    return with(copy -> copy.convention = value);
  }

  /**
   * Another estimator of the Fisher, that of {@link Fisher#estimator}. It tells the convention what
   * the observations are; to bring such observations is up to the caller. Adapters set it.
   */
  public KfacOptions withEstimator(Fisher.Estimator value) {
    return with(copy -> copy.estimator = value);
  }

  /**
   * Another approximation, with the damping mode that it needs. For EKFAC, whose moments are
   * measured between refreshes, factors are updated in every step unless there are such updates
   * already.
   */
  public KfacOptions withApproximation(Approximation value) {
    Set<DampingMode> modes = value.dampingModes();
    return with(
        copy -> {
          copy.approximation = value;
          copy.measureFor(value);
          copy.dampingMode = modes.contains(dampingMode) ? dampingMode : modes.iterator().next();
        });
  }

  /** The approximation of a layer. */
  public Approximation approximationOf(String layer) {
    return approximations.getOrDefault(layer, approximation);
  }

  /**
   * Another approximation of one layer. If it does not have the damping mode of the others it has
   * its own. Intervals are those of all layers, changed as by {@link
   * #withApproximation(Approximation)}.
   */
  public KfacOptions withApproximation(String layer, Approximation value) {
    Map<String, Approximation> all = new HashMap<>(approximations);
    all.put(layer, value);
    return with(
        copy -> {
          copy.approximations = all;
          copy.measureFor(value);
        });
  }

  /** Another decay of the running averages. */
  public KfacOptions withDecay(double value) {
    return with(copy -> copy.decay = value);
  }

  /** Clips the step by {@code clip} at the trainer's learning rate, whatever that will be. */
  public KfacOptions withKlClip(double clip) {
    return with(copy -> copy.klClip = OptionalDouble.of(clip));
  }

  /** Clips the step by {@code clip} at this learning rate of the trainer. */
  public KfacOptions withKlClip(double clip, double learningRate) {
    return withKlClip(clip).withLearningRate(learningRate);
  }

  /** Without a clip. */
  public KfacOptions withoutKlClip() {
    return with(copy -> copy.klClip = OptionalDouble.empty());
  }

  /** Another learning rate for the KL clip. */
  public KfacOptions withLearningRate(double value) {
    return with(copy -> copy.learningRate = OptionalDouble.of(value));
  }

  /** Other intervals, in steps. */
  public KfacOptions withIntervals(int factors, int inverses) {
    return withIntervals(Intervals.of(factors, inverses));
  }

  /** Other intervals. */
  public KfacOptions withIntervals(Intervals value) {
    return with(copy -> copy.intervals = value);
  }

  /** Factors of the first examples of a batch alone. */
  public KfacOptions withMaxExamples(int value) {
    return with(copy -> copy.maxExamples = value);
  }

  /** Another policy for inversions that fail. */
  public KfacOptions withInversePolicy(InversePolicy value) {
    return with(copy -> copy.inversePolicy = value);
  }

  /** The settings for some of the layers: without the approximations of others. */
  public KfacOptions forLayers(Set<String> layers) {
    Map<String, Approximation> some = new HashMap<>(approximations);
    some.keySet().retainAll(layers);
    return with(copy -> copy.approximations = some);
  }

  /**
   * Checks that a state that was made with these settings can continue with others.
   *
   * @throws IllegalArgumentException naming what is fixed for the life of a state
   */
  public void requireCompatible(KfacOptions changed) {
    if (changed.convention != convention
        || convention.dividesTwice(changed.estimator) != convention.dividesTwice(estimator)
        || changed.approximation != approximation
        || !changed.approximations.equals(approximations)
        || changed.dampingMode != dampingMode) {
      throw new IllegalArgumentException(
          "convention, the estimator that it depends on, approximations and damping mode are fixed"
              + " for the life of a Kfac");
    }
    if (changed.intervals.similarity().isPresent() != intervals.similarity().isPresent()) {
      throw new IllegalArgumentException(
          "adaptive intervals are chosen for the life of a Kfac: they need copies of the"
              + " statistics");
    }
  }

  private KfacOptions with(Consumer<Copy> change) {
    Copy copy = new Copy(this);
    change.accept(copy);
    return copy.build();
  }

  /** All settings, open for a change. */
  private static final class Copy {
    private double damping;
    private DampingMode dampingMode;
    private Convention convention;
    private Fisher.Estimator estimator;
    private Approximation approximation;
    private Map<String, Approximation> approximations;
    private double decay;
    private OptionalDouble klClip;
    private OptionalDouble learningRate;
    private Intervals intervals;
    private int maxExamples;
    private InversePolicy inversePolicy;

    private Copy(KfacOptions options) {
      damping = options.damping;
      dampingMode = options.dampingMode;
      convention = options.convention;
      estimator = options.estimator;
      approximation = options.approximation;
      approximations = options.approximations;
      decay = options.decay;
      klClip = options.klClip;
      learningRate = options.learningRate;
      intervals = options.intervals;
      maxExamples = options.maxExamples;
      inversePolicy = options.inversePolicy;
    }

    private void measureFor(Approximation added) {
      if (added.measuresBetweenRefreshes() && !measures(intervals) && intervals.inverses() > 1) {
        intervals = Intervals.of(1, intervals.inverses()).withBurnIn(intervals.burnIn());
      }
    }

    private KfacOptions build() {
      return new KfacOptions(
          damping,
          dampingMode,
          convention,
          estimator,
          approximation,
          approximations,
          decay,
          klClip,
          learningRate,
          intervals,
          maxExamples,
          inversePolicy);
    }
  }

  private static void requirePositive(String setting, OptionalDouble value) {
    value.ifPresent(
        number -> require(number > 0 && Double.isFinite(number), setting, number, "positive"));
  }

  static void require(boolean ok, String setting, Object value, String rule) {
    if (!ok) {
      throw new IllegalArgumentException(setting + " must be " + rule + " but is " + value);
    }
  }

  /**
   * What a step is multiplied by: 1 unless there is a clip, a learning rate and a long step.
   *
   * @param innerProduct the sum over layers of {@code <U, dW>}
   */
  public double clipOf(double innerProduct) {
    return klClip.isEmpty() || learningRate.isEmpty()
        ? 1
        : convention.klClip(klClip.getAsDouble(), learningRate.getAsDouble(), innerProduct);
  }
}
