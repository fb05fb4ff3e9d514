package io.github.kfac4j.cli.common;

/** What the command returns to the shell. */
public final class ExitCode {
  /** Everything went well. */
  public static final int OK = 0;

  /** A check failed, or the work could not be done for a reason that is not the user's input. */
  public static final int FAILED = 1;

  /** Bad usage or bad input; one line on stderr says what. */
  public static final int BAD_INPUT = 2;

  /** A demanded backend is not available; one line on stderr says why. */
  public static final int UNAVAILABLE = 3;

  private ExitCode() {}
}
