package io.github.kfac4j.experiments.data;

/**
 * What a network makes of a text.
 *
 * @param vocabulary number of different tokens
 * @param length tokens of a sequence
 */
public record TextForm(int vocabulary, int length) {}
