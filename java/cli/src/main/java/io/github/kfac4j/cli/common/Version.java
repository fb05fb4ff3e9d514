package io.github.kfac4j.cli.common;

import picocli.CommandLine.IVersionProvider;

/** The version in the manifest of the jar. */
public final class Version implements IVersionProvider {
  /** For {@code --version}. */
  @Override
  public String[] getVersion() {
    return new String[] {"kfac " + current()};
  }

  /** As in {@code 1.0.0}; {@code (development)} where there is no jar. */
  public static String current() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "(development)" : version;
  }
}
