package io.github.kfac4j.experiments.train;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.safetensors.StoredTensor;
import java.nio.DoubleBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;

/** What was measured while one optimizer trained; grows by one step at a time. */
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
   * One evaluation on all validation images.
   *
   * @param step number of steps trained before
   * @param seconds spent training before
   * @param loss mean cross entropy
   * @param accuracy fraction classified correctly
   */
  public record Validation(long step, double seconds, double loss, double accuracy) {}

  private final List<Step> steps = new ArrayList<>();
  private final List<Validation> validations = new ArrayList<>();
  private String failure;

  /** All steps in order. */
  public List<Step> steps() {
    return steps;
  }

  /** All evaluations in order. */
  public List<Validation> validations() {
    return validations;
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

  void fail(String reason) {
    failure = reason;
  }

  /** The first evaluation that reached the run's target, if it has one. */
  public Optional<Validation> firstAt(RunOptions options) {
    return validations.stream()
        .filter(
            v ->
                options.target() != null && v.accuracy >= options.target()
                    || options.targetLoss() != null && v.loss <= options.targetLoss())
        .findFirst();
  }

  /** Whether the run is over: all steps, the target or a failure. */
  boolean finished(RunOptions options) {
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

  /** The inverse of {@link #toTensors}. */
  static History fromTensors(Map<String, StoredTensor> tensors) {
    if (!tensors.keySet().containsAll(List.of(STEPS, VALIDATIONS))) {
      throw new BadInputException("the checkpoint has no history");
    }
    History history = new History();
    DoubleBuffer s = tensors.get(STEPS).asDoubleBuffer();
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
    DoubleBuffer v = tensors.get(VALIDATIONS).asDoubleBuffer();
    while (v.hasRemaining()) {
      history.validations.add(new Validation((long) v.get(), v.get(), v.get(), v.get()));
    }
    return history;
  }
}
