package io.github.kfac4j.nqm;

/**
 * The shortest schedule found that reaches a target risk.
 *
 * @param batchSize B
 * @param risk after the last step, below the target
 */
public record TunedSchedule(double batchSize, LearningRateSchedule schedule, double risk) {}
