package io.github.kfac4j.cli.info;

import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.cli.common.KnownBackends;
import io.github.kfac4j.cli.common.Version;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The subcommand {@code info}. */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    description = "Shows the version, which backends work here and, if not, why, and the machine.")
public final class InfoCommand implements Runnable {
  @Spec private CommandSpec spec;
  @Mixin private JsonOption json;

  /** What is shown; the field names are those of the JSON document. */
  private record Info(
      String version, List<KnownBackends.Availability> backends, String jvm, String os, int cores) {
    static Info current() {
      return new Info(
          Version.current(),
          KnownBackends.all(),
          "%s %s".formatted(System.getProperty("java.vm.name"), Runtime.version()),
          "%s %s %s"
              .formatted(
                  System.getProperty("os.name"),
                  System.getProperty("os.version"),
                  System.getProperty("os.arch")),
          Runtime.getRuntime().availableProcessors());
    }
  }

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    Info info = Info.current();
    if (json.enabled()) {
      JsonOption.print(info, out);
      return;
    }
    out.printf("version  %s%n", info.version());
    for (KnownBackends.Availability backend : info.backends()) {
      String details = backend.details() == null ? "" : ": " + backend.details();
      String state =
          backend.available() ? "available" + details : "not available: " + backend.reason();
      out.printf("backend  %-5s %s%n", backend.name(), state);
    }
    out.printf("JVM      %s%nOS       %s%ncores    %d%n", info.jvm(), info.os(), info.cores());
    out.flush();
  }
}
