package io.github.kfac4j.experiments.options;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.trainer.Schedule;
import java.util.Map;
import java.util.TreeMap;

/**
 * How the optimizers of a run are set.
 *
 * @param learningRates by optimizer
 * @param learningRateSchedule how the learning rates change during the run
 * @param momenta by optimizer with momentum
 * @param momentumSchedule how they change
 * @param dampings by optimizer with a Fisher
 * @param dampingSchedule how they change
 * @param weightDecay kind and coefficient, or null
 * @param adam the constants of Adam
 * @param average decay of the average of the weights that is evaluated, or null
 * @param kfac further settings of K-FAC
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Hyperparameters(
    @JsonProperty("learning_rates") Map<OptimizerName, Double> learningRates,
    @JsonProperty("learning_rate_schedule") ScheduleText learningRateSchedule,
    Map<OptimizerName, Double> momenta,
    @JsonProperty("momentum_schedule") ScheduleText momentumSchedule,
    Map<OptimizerName, Double> dampings,
    @JsonProperty("damping_schedule") ScheduleText dampingSchedule,
    @JsonProperty("weight_decay") WeightDecayText weightDecay,
    AdamConstants adam,
    Double average,
    KfacText kfac) {

  private static final Hyperparameters LABELS =
      of(
          rates(0.003, 0.005, 1e-3, 0.03, 1e-3),
          Map.of(OptimizerName.KFAC, 1e-2, OptimizerName.EKFAC, 3e-2, OptimizerName.DIAGONAL, 1e-2),
          KfacText.NONE);

  /** Its loss is a sum over pixels: steps have to be bounded. */
  private static final Hyperparameters AUTOENCODER =
      of(
          rates(0.05, 0.1, 0.1, 1e-3, 1e-3),
          Map.of(OptimizerName.KFAC, 0.3, OptimizerName.EKFAC, 10.0, OptimizerName.DIAGONAL, 10.0),
          new KfacText(Map.of(KfacKey.FISHER, "mc", KfacKey.KL_CLIP, "1")));

  /** Of a language model the gradients of sampled tokens are the better factors. */
  private static final Hyperparameters LANGUAGE =
      of(
          rates(0.1, 0.1, 0.1, 0.3, 0.01),
          Map.of(OptimizerName.KFAC, 1e-2, OptimizerName.EKFAC, 1e-2, OptimizerName.DIAGONAL, 1e-2),
          new KfacText(Map.of(KfacKey.FISHER, "mc", KfacKey.KL_CLIP, "1e-2")));

  private static Hyperparameters of(
      Map<OptimizerName, Double> rates, Map<OptimizerName, Double> dampings, KfacText kfac) {
    Map<OptimizerName, Double> momenta = new TreeMap<>(rates);
    momenta.remove(OptimizerName.ADAM);
    momenta.replaceAll((name, rate) -> 0.9);
    return new Hyperparameters(
        rates,
        ScheduleText.CONSTANT,
        momenta,
        ScheduleText.CONSTANT,
        dampings,
        ScheduleText.CONSTANT,
        null,
        AdamConstants.USUAL,
        null,
        kfac);
  }

  private static Map<OptimizerName, Double> rates(
      double kfac, double ekfac, double diagonal, double sgd, double adam) {
    return Map.of(
        OptimizerName.KFAC, kfac,
        OptimizerName.EKFAC, ekfac,
        OptimizerName.DIAGONAL, diagonal,
        OptimizerName.SGD, sgd,
        OptimizerName.ADAM, adam);
  }

  /** What is used where the command line says nothing. */
  public static Hyperparameters defaults(ModelName model) {
    if (model.text().isPresent()) {
      return LANGUAGE;
    }
    return model.classifies() ? LABELS : AUTOENCODER;
  }

  /**
   * Checks the values.
   *
   * @throws BadInputException naming the option and the value
   */
  public Hyperparameters {
    learningRates = new TreeMap<>(learningRates);
    momenta = new TreeMap<>(momenta);
    dampings = new TreeMap<>(dampings);
    adam = adam == null ? AdamConstants.USUAL : adam; // a run from before they could be set
    learningRates.forEach((name, rate) -> requirePositive("--lr", name, rate));
    momenta.forEach(Hyperparameters::requireMomentum);
    dampings.forEach(
        (name, damping) -> {
          require(
              name.approximation().isPresent(), "--damping has no effect on %s".formatted(name));
          requirePositive("--damping", name, damping);
        });
    require(
        average == null || average >= 0 && average < 1,
        "--average must be in [0, 1), got " + average);
    learningRateSchedule.over("--lr-schedule", 1, 1);
    momentumSchedule.over("--momentum-schedule", 1, 1);
    dampingSchedule.over("--damping-schedule", 1, 1);
  }

  /** With other settings of K-FAC. */
  public Hyperparameters with(KfacText other) {
    return new Hyperparameters(
        learningRates,
        learningRateSchedule,
        momenta,
        momentumSchedule,
        dampings,
        dampingSchedule,
        weightDecay,
        adam,
        average,
        other);
  }

  private static void requirePositive(String option, OptimizerName name, double value) {
    require(
        value > 0 && Double.isFinite(value),
        "%s of %s must be positive, got %s".formatted(option, name, value));
  }

  private static void requireMomentum(OptimizerName name, double value) {
    require(name != OptimizerName.ADAM, "--momentum of adam is fixed");
    require(
        value >= 0 && value < 1,
        "--momentum of %s must be in [0, 1), got %s".formatted(name, value));
  }

  private static void require(boolean ok, String problem) {
    if (!ok) {
      throw new BadInputException(problem);
    }
  }

  /** The learning rate of an optimizer in each step of a run of a given length. */
  public Schedule learningRate(OptimizerName optimizer, long steps) {
    return learningRateSchedule.over("--lr-schedule", learningRates.get(optimizer), steps);
  }

  /**
   * The momentum of an optimizer in each step of a run of a given length.
   *
   * @throws BadInputException if it does not stay below 1
   */
  public Schedule momentum(OptimizerName optimizer, long steps) {
    Schedule schedule = momentumSchedule.over("--momentum-schedule", momenta.get(optimizer), steps);
    long checked = momentumSchedule.isConstant() ? 1 : steps;
    for (long step = 0; step < checked; step++) {
      require(
          schedule.at(step) < 1,
          "--momentum-schedule must stay below 1, but gives %s in step %d"
              .formatted(schedule.at(step), step + 1));
    }
    return schedule;
  }

  /**
   * The damping of an optimizer in each step of a run of a given length.
   *
   * @throws BadInputException if it does not stay positive
   */
  Schedule damping(OptimizerName optimizer, long steps) {
    Schedule schedule = dampingSchedule.over("--damping-schedule", dampings.get(optimizer), steps);
    long checked = dampingSchedule.isConstant() ? 1 : steps;
    for (long step = 0; step < checked; step++) {
      require(
          schedule.at(step) > 0,
          "--damping-schedule must stay positive, but gives %s in step %d"
              .formatted(schedule.at(step), step + 1));
    }
    return schedule;
  }

  /** Whether a step depends on the number of all steps. */
  boolean dependsOnSteps() {
    return learningRateSchedule.dependsOnSteps()
        || momentumSchedule.dependsOnSteps()
        || dampingSchedule.dependsOnSteps();
  }

  /**
   * Checks that a resumed run asks for the same.
   *
   * @throws BadInputException naming the first option that differs
   */
  void requireSame(Hyperparameters stored) {
    RunOptions.requireSame("--lr", learningRates, stored.learningRates);
    RunOptions.requireSame("--lr-schedule", learningRateSchedule, stored.learningRateSchedule);
    RunOptions.requireSame("--momentum", momenta, stored.momenta);
    RunOptions.requireSame("--momentum-schedule", momentumSchedule, stored.momentumSchedule);
    RunOptions.requireSame("--damping", dampings, stored.dampings);
    RunOptions.requireSame("--damping-schedule", dampingSchedule, stored.dampingSchedule);
    RunOptions.requireSame("--weight-decay", weightDecay, stored.weightDecay);
    RunOptions.requireSame("--adam", adam, stored.adam);
    RunOptions.requireSame("--average", average, stored.average);
    RunOptions.requireSame("--kfac", kfac, stored.kfac);
  }
}
