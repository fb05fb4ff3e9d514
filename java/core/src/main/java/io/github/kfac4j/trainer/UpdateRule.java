package io.github.kfac4j.trainer;

import java.util.Objects;

/**
 * Settings of {@link KfacOptimizer}, immutable.
 *
 * @param rates learning rate and momentum
 * @param damping how damping changes
 * @param weightDecay weight decay
 * @param rescale whether weights of rank 2 and more are shrunk to the norm {@code sqrt(2 d)} after
 *     each step if theirs is larger, d the number of outputs (Osawa et al. 2019): without it the
 *     norms, and with them the effective learning rate, drift
 */
public record UpdateRule(
    Rates rates, DampingRule damping, WeightDecay weightDecay, boolean rescale) {
  /** Checks that nothing is missing. */
  public UpdateRule {
    Objects.requireNonNull(rates, "rates");
    Objects.requireNonNull(damping, "damping");
    Objects.requireNonNull(weightDecay, "weightDecay");
  }

  /** Constant learning rate, momentum and damping. */
  public static UpdateRule of(double learningRate, double momentum, double damping) {
    return new UpdateRule(
        new Rates.Scheduled(Schedule.constant(learningRate), Schedule.constant(momentum)),
        DampingRule.constant(damping),
        WeightDecay.NONE,
        false);
  }

  /** Other rates. */
  public UpdateRule withRates(Rates value) {
    return new UpdateRule(value, damping, weightDecay, rescale);
  }

  /** Another rule for the damping. */
  public UpdateRule withDamping(DampingRule value) {
    return new UpdateRule(rates, value, weightDecay, rescale);
  }

  /** Other weight decay. */
  public UpdateRule withWeightDecay(WeightDecay value) {
    return new UpdateRule(rates, damping, value, rescale);
  }

  /** With weights shrunk to their norm after each step. */
  public UpdateRule withRescaling() {
    return new UpdateRule(rates, damping, weightDecay, true);
  }
}
