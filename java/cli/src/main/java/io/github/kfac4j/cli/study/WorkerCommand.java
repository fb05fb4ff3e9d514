package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.KnownBackends;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.study.search.StudyWorker;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;

/** The subcommand {@code study worker}, which a study with {@code --jobs} starts. */
@Command(
    name = "worker",
    hidden = true,
    description = "Trains trials that come as lines, for a study with --jobs.")
public final class WorkerCommand implements Callable<Integer> {

  /**
   * The command that starts one, in a JVM like this one.
   *
   * @param study the command that wants it
   */
  static List<String> line(CommandSpec study) {
    String classPath = System.getProperty("java.class.path", "");
    if (classPath.isEmpty()) {
      throw new BadInputException("--jobs needs kfac to be started from a class path or its jar");
    }
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (option.startsWith("-X") || option.startsWith("-D") || option.startsWith("--enable")) {
        line.add(option);
      }
    }
    line.addAll(
        List.of(
            "-cp", classPath, study.root().userObject().getClass().getName(), "study", "worker"));
    return line;
  }

  @Override
  public Integer call() throws Exception {
    PrintStream outcomes = System.out;
    System.setOut(System.err); // outcomes alone go there
    StudyWorker.run(System.in, outcomes, KnownBackends::openOrBest);
    return ExitCode.OK;
  }
}
