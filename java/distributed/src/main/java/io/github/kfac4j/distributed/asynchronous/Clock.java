package io.github.kfac4j.distributed.asynchronous;

/** When inverses that others have published take effect. */
public enum Clock {
  /** Exactly at the bound on staleness: the same calls give the same bits. */
  LOGICAL,
  /** At once, at the latest at the bound. */
  WALL
}
