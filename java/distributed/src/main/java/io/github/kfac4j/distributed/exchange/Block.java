package io.github.kfac4j.distributed.exchange;

/**
 * Numbers that one rank is to receive or to send.
 *
 * @param owner that rank
 * @param values the numbers; overwritten by the operation
 */
public record Block(int owner, float[] values) {
  public void scale(double factor) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (values[i] * factor);
    }
  }
}
