package io.github.kfac4j.trainer;

import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.InPlace;
import io.github.kfac4j.trainer.DampingRule.LevenbergMarquardt;
import io.github.kfac4j.trainer.Preconditioner.Refresh;
import io.github.kfac4j.trainer.Rates.Memory;
import io.github.kfac4j.trainer.Rates.Order;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An update rule around K-FAC, for all parameters of a network: those whose gradients the {@link
 * Preconditioner} leaves alone are updated with their plain gradients. The package description has
 * the formulas.
 *
 * <p>Weights and gradients are host tensors, views of a trainer's memory; weights are updated in
 * place, gradients are overwritten. If preconditioning fails, weights and memory are as they were.
 * Used by one thread at a time.
 */
public final class KfacOptimizer {
  private static final String MEMORY = "memory.";
  private static final String COUNTERS = "counters";
  private static final double MAX_STEPS =
      1L << 53; // beyond it fp64 does not have every whole number

  private final Map<String, HostTensor> weights;
  private final UpdateRule rule;
  private final Map<String, HostTensor> memory;
  private long step;
  private double damping;
  private double gamma;

  /**
   * Starts with an empty memory.
   *
   * @param weights views that stay valid, by name
   * @param rule settings
   * @throws IllegalArgumentException naming a weight in a read-only buffer, with elements that may
   *     be one place, or that shares memory with another
   */
  public KfacOptimizer(Map<String, HostTensor> weights, UpdateRule rule) {
    overwritten(weights).requireApart();
    this.weights = new LinkedHashMap<>(weights);
    this.rule = rule;
    this.memory = Tensors.zerosLike(weights);
    this.damping = rule.damping().initial();
    this.gamma = Math.sqrt(damping + rule.weightDecay().l2());
  }

  /** The settings. */
  public UpdateRule rule() {
    return rule;
  }

  /** Steps so far. */
  public long steps() {
    return step;
  }

  /**
   * Updates the weights.
   *
   * @param gradients of the mean loss, one for each weight and in its shape; overwritten
   * @param preconditioner rewrites these gradients
   * @param batch the batch of the gradients; asked only by Levenberg-Marquardt damping and {@link
   *     Rates.QuadraticMinimum}
   * @throws IllegalArgumentException naming a gradient that is missing, does not fit, is in a
   *     read-only buffer, has elements that may be one place, or shares memory with a weight or
   *     another gradient; nothing has changed then
   */
  public OptimizerReport step(
      Map<String, HostTensor> gradients, Preconditioner preconditioner, BatchFunction batch) {
    requireGradients(gradients);
    Map<String, HostTensor> g = new LinkedHashMap<>();
    weights.keySet().forEach(name -> g.put(name, gradients.get(name)));
    double l2 = rule.weightDecay().l2();
    if (l2 > 0) {
      Tensors.combine(g, 1, weights, l2);
    }
    LevenbergMarquardt lm = rule.damping() instanceof LevenbergMarquardt found ? found : null;
    boolean measured = lm != null && (step + 1) % lm.interval() == 0;
    boolean tries = lm != null && lm.gammaInterval() > 0 && step % lm.gammaInterval() == 0;
    double lambda =
        l2
            + (rule.damping() instanceof DampingRule.Scheduled scheduled
                ? scheduled.schedule().at(step)
                : damping);
    boolean minimum = rule.rates() instanceof Rates.QuadraticMinimum;
    Map<String, HostTensor> raw = measured || tries || minimum ? Tensors.copy(g) : null;
    double nextGamma = tries ? bestGamma(lm, g, raw, lambda, preconditioner, batch) : gamma;
    double factorDamping = lm != null && lm.gammaInterval() > 0 ? nextGamma * nextGamma : lambda;
    Refresh refresh = tries ? Refresh.NOW : Refresh.WHEN_DUE;
    Move move =
        rule.rates() instanceof Rates.Scheduled rates
            ? scheduled(rates, g, factorDamping, refresh, preconditioner)
            : minimum(g, raw, lambda, factorDamping, refresh, preconditioner, batch);
    gamma = nextGamma;
    double predicted = move.predicted;
    double ratio = Double.NaN;
    double lossBefore = 0;
    if (measured) {
      if (!minimum || rule.weightDecay().decoupled() > 0) {
        predicted = QuadraticModel.of(List.of(update(move)), raw, lambda, batch).at(1);
      }
      lossBefore = batch.loss() + 0.5 * l2 * Tensors.dot(weights, weights);
    }
    apply(move);
    if (measured) {
      double loss = batch.loss() + 0.5 * l2 * Tensors.dot(weights, weights);
      ratio = LevenbergMarquardt.ratio(loss - lossBefore, predicted);
      damping = lm.next(damping, ratio);
    }
    if (rule.rescale()) {
      weights.values().forEach(Tensors::shrink);
    }
    step++;
    return new OptimizerReport(
        step, move.rate, move.momentum, lambda, factorDamping, predicted, ratio);
  }

  /** {@code W -= scale direction + rate wd W}. */
  private record Move(
      Map<String, HostTensor> direction,
      double scale,
      double rate,
      double momentum,
      double predicted) {}

  private Move scheduled(
      Rates.Scheduled rates,
      Map<String, HostTensor> g,
      double factorDamping,
      Refresh refresh,
      Preconditioner preconditioner) {
    double rate = rates.learningRate().at(step);
    double beta = rates.momentum().at(step);
    boolean first = rates.order() == Order.MOMENTUM_FIRST;
    if (first) {
      Tensors.combine(g, 1, memory, beta);
      Map<String, HostTensor> velocity = Tensors.copy(g);
      preconditioner.precondition(factorDamping, rate, refresh);
      Tensors.combine(memory, 0, velocity, 1);
      return new Move(g, rate, rate, beta, Double.NaN);
    }
    preconditioner.precondition(factorDamping, rate, refresh);
    if (rates.memory() == Memory.UPDATE) {
      Tensors.combine(memory, beta, g, rate);
      return new Move(memory, 1, rate, beta, Double.NaN);
    }
    Tensors.combine(memory, beta, g, 1);
    return new Move(memory, rate, rate, beta, Double.NaN);
  }

  private Move minimum(
      Map<String, HostTensor> g,
      Map<String, HostTensor> raw,
      double lambda,
      double factorDamping,
      Refresh refresh,
      Preconditioner preconditioner,
      BatchFunction batch) {
    preconditioner.precondition(factorDamping, 1, refresh);
    QuadraticModel model = QuadraticModel.of(directions(g), raw, lambda, batch);
    double[] c = model.minimum();
    double beta = c.length > 1 ? c[1] : 0;
    Tensors.combine(memory, beta, g, c[0]);
    return new Move(memory, 1, c[0], beta, model.at(c));
  }

  /** The directions that the quadratic model is minimised over. */
  private List<Map<String, HostTensor>> directions(Map<String, HostTensor> preconditioned) {
    boolean withMemory =
        rule.rates() instanceof Rates.QuadraticMinimum rates && rates.momentum() && step > 0;
    return withMemory ? List.of(preconditioned, memory) : List.of(preconditioned);
  }

  private double bestGamma(
      LevenbergMarquardt rule,
      Map<String, HostTensor> g,
      Map<String, HostTensor> raw,
      double lambda,
      Preconditioner preconditioner,
      BatchFunction batch) {
    double best = Double.POSITIVE_INFINITY;
    double chosen = gamma;
    for (double candidate : rule.gammas(gamma, this.rule.weightDecay().l2())) {
      preconditioner.preview(candidate * candidate);
      QuadraticModel model = QuadraticModel.of(directions(g), raw, lambda, batch);
      double value = model.at(model.minimum());
      if (value < best) {
        best = value;
        chosen = candidate;
      }
      Tensors.combine(g, 0, raw, 1);
    }
    return chosen;
  }

  /** What the move takes away from the weights, as a tensor of its own. */
  private Map<String, HostTensor> update(Move move) {
    Map<String, HostTensor> update = Tensors.zerosLike(weights);
    Tensors.combine(update, 0, move.direction, move.scale);
    double decay = move.rate * rule.weightDecay().decoupled();
    if (decay != 0) {
      Tensors.combine(update, 1, weights, decay);
    }
    return update;
  }

  private void apply(Move move) {
    double keep = 1 - move.rate * rule.weightDecay().decoupled();
    Tensors.combine(weights, keep, move.direction, -move.scale);
  }

  /** The weights, to which gradients are added. */
  private static InPlace overwritten(Map<String, HostTensor> weights) {
    InPlace overwritten = new InPlace("overwritten");
    weights.forEach(
        (name, one) -> overwritten.add("parameter '%s': the weight".formatted(name), one));
    return overwritten;
  }

  private void requireGradients(Map<String, HostTensor> gradients) {
    InPlace overwritten = overwritten(weights);
    weights.forEach(
        (name, weight) -> {
          HostTensor gradient = gradients.get(name);
          if (gradient == null || !gradient.shape().equals(weight.shape())) {
            throw new IllegalArgumentException(
                "parameter '%s': the gradient has shape %s, expected %s"
                    .formatted(name, gradient == null ? "none" : gradient.shape(), weight.shape()));
          }
          overwritten.add("parameter '%s': the gradient".formatted(name), gradient);
        });
    overwritten.requireApart();
  }

  /** A copy of everything remembered between steps, as named tensors. */
  public Map<String, StoredTensor> toTensors() {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    Tensors.store(memory, MEMORY, tensors);
    tensors.put(COUNTERS, counters());
    return tensors;
  }

  private StoredTensor counters() {
    return StoredTensor.of(new double[] {step, damping, gamma}, 3);
  }

  /**
   * Replaces everything by what {@link #toTensors} gave, of an optimizer with the same parameters.
   *
   * @throws IllegalArgumentException naming the first tensor that is missing, does not fit or holds
   *     an impossible value; nothing has changed then
   */
  public void restore(Map<String, StoredTensor> tensors) {
    Tensors.requireStored(memory, MEMORY, tensors);
    double[] counters = new double[3];
    Tensors.requireStored(COUNTERS, counters(), tensors).asDoubleBuffer().get(counters);
    requireCounter("number of steps", counters[0], MAX_STEPS, true);
    requireCounter("damping", counters[1], Double.MAX_VALUE, false);
    requireCounter("gamma", counters[2], Double.MAX_VALUE, false);
    Tensors.restore(memory, MEMORY, tensors);
    step = (long) counters[0];
    damping = counters[1];
    gamma = counters[2];
  }

  private static void requireCounter(String what, double value, double max, boolean whole) {
    if (!(value >= 0 && value <= max) || whole && value != Math.rint(value)) {
      throw new IllegalArgumentException(
          "the saved optimizer state has the %s %s, which must be %s from 0 to %s"
              .formatted(what, value, whole ? "a whole number" : "a number", max));
    }
  }
}
