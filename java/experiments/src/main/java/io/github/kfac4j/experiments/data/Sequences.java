package io.github.kfac4j.experiments.data;

import java.nio.CharBuffer;

/**
 * A text cut into sequences of equal length, one behind the other; the last tokens that fill none
 * are left out.
 *
 * @param tokens of the text
 * @param count of sequences
 * @param form of the sequences
 */
public record Sequences(TokenFile tokens, int count, TextForm form) implements Examples {
  /** All that the tokens give: the last token of a sequence has one behind it to be predicted. */
  static Sequences of(TokenFile tokens, TextForm form) {
    long count = Math.max(0, (tokens.count() - 1) / form.length());
    return new Sequences(tokens, Math.toIntExact(count), form);
  }

  /** Tokens that a network gets of each. */
  public int length() {
    return form.length();
  }

  @Override
  public long[] shape() {
    return new long[] {form.length()};
  }

  @Override
  public int classes() {
    return form.vocabulary();
  }

  @Override
  public String unit() {
    return "sequences";
  }

  @Override
  public Sequences first(int number) {
    return new Sequences(tokens, number, form);
  }

  /** The tokens of one, and the first of the next one. */
  void read(int index, CharBuffer out) {
    tokens.read((long) index * form.length(), out);
  }
}
