package io.github.kfac4j.distributed.collectives;

/** An operation that has been started. */
public interface Pending {
  /**
   * Waits for the end.
   *
   * @throws CollectiveException if the operation failed or the job was aborted
   */
  void await();
}
