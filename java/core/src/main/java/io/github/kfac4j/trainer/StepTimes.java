package io.github.kfac4j.trainer;

/**
 * What K-FAC added to one training step, in nanoseconds. Capturing what the layers saw, which
 * happens inside the forward and backward pass, is not included.
 *
 * @param sample the extra backward pass of the Monte-Carlo Fisher
 * @param observe updating the factors
 * @param refresh renewing the inverses
 * @param precondition preconditioning the gradients, with the transfers
 */
public record StepTimes(long sample, long observe, long refresh, long precondition) {
  /** The sum of all parts. */
  public long total() {
    return sample + observe + refresh + precondition;
  }
}
