package io.github.kfac4j.cli.common;

/** Text from files and from the environment, for a terminal. */
public final class Printable {
  private Printable() {}

  /** One line without control characters, which could move the cursor or colour what follows. */
  public static String line(String text) {
    return text.replaceAll("[\\p{Cc}\\p{Zl}\\p{Zp}]", "?");
  }
}
