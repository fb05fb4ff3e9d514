package io.github.kfac4j.benchmarks.run;

import io.github.kfac4j.benchmarks.cases.Case;

/** A library that can be measured: a backend of ours or a peer. */
public interface Contender extends AutoCloseable {
  /** The name in results and options. */
  String name();

  /** The library's version and what it runs on. */
  String version();

  /**
   * Makes a case's inputs and everything else that is not to be timed.
   *
   * @return null if this contender has no way to do it
   */
  Work prepare(Case c, long seed);

  /** How long its threads stay busy, waiting for more, after a call. */
  default long settleMillis() {
    return 30;
  }

  @Override
  default void close() {}
}
