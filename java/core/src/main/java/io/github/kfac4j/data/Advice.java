package io.github.kfac4j.data;

/** How messages about a batch that is refused end. */
public final class Advice {
  /** For those who call the verbs of K-FAC. */
  public static final String DISCARD_STEP = "; discardStep() drops this step";

  private Advice() {}

  /**
   * The same error for a program that cannot call {@code discardStep()}, because its adapter has
   * done so.
   *
   * @param instead of {@link #DISCARD_STEP}
   */
  public static IllegalArgumentException saying(String instead, IllegalArgumentException e) {
    return e.getMessage() != null && e.getMessage().endsWith(DISCARD_STEP)
        ? new IllegalArgumentException(e.getMessage().replace(DISCARD_STEP, instead), e)
        : e;
  }
}
