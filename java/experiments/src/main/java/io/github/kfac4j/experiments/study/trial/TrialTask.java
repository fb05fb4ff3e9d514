package io.github.kfac4j.experiments.study.trial;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.train.History;
import io.github.kfac4j.experiments.train.SingleRun;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * All that determines the outcome of a trial.
 *
 * @param options of its training
 * @param values of its metaparameters, by name
 * @param toEnd whether the goal ends nothing, and the finished network is measured
 * @param cut whether it is ended behind a better trial unless it reaches the goal or fails
 * @param divergence the multiple of the first loss above which the last one counts as divergence
 */
public record TrialTask(
    RunOptions options,
    Map<String, Double> values,
    @JsonProperty("to_end") boolean toEnd,
    boolean cut,
    double divergence) {

  /** Trains here; empty if asked to stop. */
  public Optional<TrialOutcome> train(
      Dataset data, Backend backend, BooleanSupplier stop, Consumer<History> onStep) {
    History history = SingleRun.train(options, data, backend, toEnd, stop, onStep);
    return stop.getAsBoolean()
        ? Optional.empty()
        : Optional.of(TrialOutcome.of(values, history, options, cut, divergence));
  }
}
