package io.github.kfac4j.experiments.study.trial;

/** A trial and its outcome. */
public record Result(Trial trial, TrialOutcome outcome) {}
