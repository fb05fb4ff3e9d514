package io.github.kfac4j.experiments.train;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.options.Goal;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import java.nio.DoubleBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;

/** What was measured while one optimizer trained, step by step. */
public final class History {
  private static final String STEPS = "steps";
  private static final String VALIDATIONS = "validations";

  /**
   * Seconds that the parts of one step took.
   *
   * @param forward loss of the batch; for K-FAC with the capture of activations and the extra
   *     backward passes of its Fisher
   * @param backward gradients
   * @param kfac factors, inverses and preconditioning; 0 for other optimizers
   * @param update the optimizer's own rule, with the passes by which it measures the loss
   */
  public record Times(double forward, double backward, double kfac, double update) {
    /** Their sum. */
    public double total() {
      return forward + backward + kfac + update;
    }
  }

  /**
   * One step.
   *
   * @param step counted from 1
   * @param epoch passes over the training images so far, as a fraction
   * @param seconds spent training so far, reading of data included, evaluation excluded
   * @param loss mean cross entropy of the batch, before the update
   * @param accuracy fraction of the batch classified correctly, before the update; NaN without
   *     classes
   * @param times parts of the step
   */
  public record Step(
      long step, double epoch, double seconds, double loss, double accuracy, Times times) {}

  /**
   * One evaluation on images that are not augmented.
   *
   * @param step number of steps trained before
   * @param seconds spent training before
   * @param loss mean cross entropy
   * @param accuracy fraction classified correctly
   */
  public record Validation(long step, double seconds, double loss, double accuracy) {}

  private final List<Step> steps = new ArrayList<>();
  private final List<Validation> validations = new ArrayList<>();
  private final List<Validation> trainings = new ArrayList<>();
  private Finals finals;
  private String failure;

  /**
   * What a finished network does.
   *
   * @param train on the training images of {@link Goal.On#TRAIN}
   * @param test on the test images; null without any
   */
  public record Finals(Validation train, Validation test) {}

  /** All steps in order. */
  public List<Step> steps() {
    return steps;
  }

  /** All evaluations on the validation images, in order. */
  public List<Validation> validations() {
    return validations;
  }

  /** Those on training images, where the goal is looked for there; not kept by checkpoints. */
  List<Validation> trainings() {
    return trainings;
  }

  /** What the finished network does, if that was asked for. */
  public Optional<Finals> finals() {
    return Optional.ofNullable(finals);
  }

  void finish(Finals measured) {
    finals = measured;
  }

  /** The number of steps trained. */
  public long stepCount() {
    return steps.size();
  }

  /** Seconds spent training. */
  public double seconds() {
    return steps.isEmpty() ? 0 : steps.get(steps.size() - 1).seconds;
  }

  /** Why training cannot go on, if it cannot. */
  public Optional<String> failure() {
    if (!steps.isEmpty() && !Double.isFinite(steps.get(steps.size() - 1).loss)) {
      return Optional.of("diverged: the loss is not finite at step " + steps.size());
    }
    return Optional.ofNullable(failure);
  }

  public void fail(String reason) {
    failure = reason;
  }

  /** The first evaluation that reached the run's target, if it has one. */
  public Optional<Validation> firstAt(RunOptions options) {
    List<Validation> where = options.goal().onTraining() ? trainings : validations;
    return where.stream()
        .filter(one -> options.goal().reached(one.accuracy(), one.loss()))
        .findFirst();
  }

  /** Whether the run is over: all steps, the target or a failure. */
  public boolean finished(RunOptions options) {
    return stepCount() >= options.steps() || failure().isPresent() || firstAt(options).isPresent();
  }

  /** As tensors, for a checkpoint. */
  Map<String, StoredTensor> toTensors() {
    double[] stepRows =
        steps.stream()
            .flatMapToDouble(
                s ->
                    DoubleStream.of(
                        s.epoch,
                        s.seconds,
                        s.loss,
                        s.accuracy,
                        s.times.forward,
                        s.times.backward,
                        s.times.kfac,
                        s.times.update))
            .toArray();
    double[] validationRows =
        validations.stream()
            .flatMapToDouble(v -> DoubleStream.of(v.step, v.seconds, v.loss, v.accuracy))
            .toArray();
    return Map.of(
        STEPS, StoredTensor.of(stepRows, steps.size(), 8),
        VALIDATIONS, StoredTensor.of(validationRows, validations.size(), 4));
  }

  /**
   * The inverse of {@link #toTensors}.
   *
   * @throws BadInputException if a tensor is missing, does not fit or holds an impossible value
   */
  static History fromTensors(Map<String, StoredTensor> tensors) {
    History history = new History();
    DoubleBuffer s = rows(tensors, STEPS, 8);
    while (s.hasRemaining()) {
      history.steps.add(
          new Step(
              history.steps.size() + 1,
              s.get(),
              s.get(),
              s.get(),
              s.get(),
              new Times(s.get(), s.get(), s.get(), s.get())));
    }
    DoubleBuffer v = rows(tensors, VALIDATIONS, 4);
    while (v.hasRemaining()) {
      history.validations.add(new Validation((long) v.get(), v.get(), v.get(), v.get()));
    }
    history.requirePossible();
    return history;
  }

  private static DoubleBuffer rows(Map<String, StoredTensor> tensors, String name, long columns) {
    StoredTensor stored = tensors.get(name);
    if (stored == null
        || stored.dtype() != DType.F64
        || stored.shape().length != 2
        || stored.shape()[1] != columns) {
      throw new BadInputException(
          "the checkpoint has %s for the %s of its history, expected F64[n, %d]"
              .formatted(stored == null ? "nothing" : stored, name, columns));
    }
    return stored.asDoubleBuffer();
  }

  private void requirePossible() {
    double seconds = 0;
    for (Step step : steps) {
      boolean last = step.step == steps.size(); // a run ends with the first loss that is not finite
      boolean possible =
          step.epoch > 0
              && step.seconds >= seconds
              && step.seconds < Double.POSITIVE_INFINITY
              && step.times.total() < Double.POSITIVE_INFINITY
              && (last || Double.isFinite(step.loss))
              && isAccuracy(step.accuracy);
      if (!possible) {
        throw new BadInputException("the checkpoint has an impossible step: " + step);
      }
      seconds = step.seconds;
    }
    long before = 1;
    for (Validation validation : validations) {
      if (validation.step < before
          || validation.step > steps.size()
          || !(validation.seconds >= 0 && validation.seconds <= seconds)
          || !isAccuracy(validation.accuracy)) {
        throw new BadInputException("the checkpoint has an impossible evaluation: " + validation);
      }
      before = validation.step;
    }
  }

  private static boolean isAccuracy(double value) {
    return Double.isNaN(value) || value >= 0 && value <= 1;
  }
}
