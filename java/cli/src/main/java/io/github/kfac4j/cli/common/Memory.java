package io.github.kfac4j.cli.common;

/** What to do where memory is missing. */
public final class Memory {
  private Memory() {}

  /** Which memory it is, and how to have more of it: a larger heap leaves the others less. */
  public static String advice(OutOfMemoryError e) {
    String reason = String.valueOf(e.getMessage());
    boolean heap = reason.contains("heap") || reason.contains("array size");
    return heap
        ? "not enough memory (%s); give java a larger heap with -Xmx".formatted(reason)
        : "not enough memory outside of the heap (%s); use a smaller batch or smaller layers"
            .formatted(reason);
  }
}
