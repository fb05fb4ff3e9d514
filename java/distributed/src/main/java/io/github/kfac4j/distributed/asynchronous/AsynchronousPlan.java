package io.github.kfac4j.distributed.asynchronous;

/**
 * Which ranks do what in asynchronous K-FAC (Ba et al. 2017), and how far they may drift apart.
 * With two gradient workers, one statistics worker and two inverse workers:
 *
 * <pre>
 *  rank 0, 1  gradients    forward and backward pass, preconditioned steps
 *      |  weights                                    ^
 *      v                                             | inverses
 *  rank 2     statistics   passes of its own -----> rank 3, 4  running averages, inverses
 *                                        A and G
 * </pre>
 *
 * @param gradients the number of gradient workers, the first ranks
 * @param statistics the number of statistics workers, the next
 * @param inverses the number of inverse workers, the last; they divide the layers among them
 * @param bound steps that inverses may lag behind the weights that they were made for, 0 for none
 * @param clock when inverses take effect
 */
public record AsynchronousPlan(
    int gradients, int statistics, int inverses, int bound, Clock clock) {
  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException naming what is not positive, or a negative bound
   */
  public AsynchronousPlan {
    require(gradients > 0, "gradient workers must be positive but are " + gradients);
    require(statistics > 0, "statistics workers must be positive but are " + statistics);
    require(inverses > 0, "inverse workers must be positive but are " + inverses);
    require(bound >= 0, "the bound on staleness must not be negative but is " + bound);
  }

  /** What a rank does. */
  public enum Role {
    /** Steps. */
    GRADIENTS,
    /** Factors of batches. */
    STATISTICS,
    /** Running averages and inverses. */
    INVERSES
  }

  /** All ranks. */
  public int ranks() {
    return gradients + statistics + inverses;
  }

  /** What a rank does. */
  public Role role(int rank) {
    if (rank < gradients) {
      return Role.GRADIENTS;
    }
    return rank < gradients + statistics ? Role.STATISTICS : Role.INVERSES;
  }

  private static void require(boolean ok, String problem) {
    if (!ok) {
      throw new IllegalArgumentException(problem);
    }
  }
}
