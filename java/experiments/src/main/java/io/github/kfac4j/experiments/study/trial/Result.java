package io.github.kfac4j.experiments.study.trial;

/** A trial and what became of it. */
public record Result(Trial trial, Outcome outcome) {}
