package io.github.kfac4j.cli.common;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendUnavailableException;
import picocli.CommandLine.Option;

/** The option {@code --backend}, the same for every subcommand that computes. */
public final class BackendOption {
  @Option(
      names = "--backend",
      paramLabel = "NAME",
      defaultValue = KnownBackends.AUTO,
      description = "java, cpu, cuda or auto, the fastest that works here (default: auto).")
  private String name;

  /**
   * Opens the chosen backend; the caller closes it.
   *
   * @throws BadInputException if no backend has this name
   * @throws BackendUnavailableException if it cannot be used here, with the reason
   */
  public Backend open() {
    return KnownBackends.openOrBest(name);
  }
}
