package io.github.kfac4j.djl;

/**
 * Which output gradients the factors are made of (Kunstner, Balles and Hennig 2019 compare them).
 * Make one with {@link #EMPIRICAL} or {@link #monteCarlo(long)}.
 *
 * @param sampled whether labels are drawn from the model's prediction
 * @param seed of the labels that are drawn
 */
public record Fisher(boolean sampled, long seed) {
  /**
   * The gradients of the training loss itself: no extra work, any loss that is a mean over the
   * batch.
   */
  public static final Fisher EMPIRICAL = new Fisher(false, 0);

  /**
   * Gradients for labels drawn from the model's own softmax, an unbiased estimate of the true
   * Fisher (Martens and Grosse 2015, section 5). Costs a second backward pass in the steps that
   * update factors.
   *
   * <p>The model must have one output: logits of a softmax over the last axis. Logits of shape [N,
   * ..., C] are N examples whose loss is the mean over their positions.
   *
   * @param seed the labels of a step are a function of the seed and of the number of the step, so
   *     that a resumed run draws the same
   */
  public static Fisher monteCarlo(long seed) {
    return new Fisher(true, seed);
  }
}
