package io.github.kfac4j.cli.train;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.cli.BadInputException;
import io.github.kfac4j.cli.ExitCode;
import io.github.kfac4j.cli.JsonOption;
import io.github.kfac4j.cli.KnownBackends;
import io.github.kfac4j.cli.data.Dataset;
import io.github.kfac4j.cli.data.Datasets;
import io.github.kfac4j.cli.train.report.JsonResult;
import io.github.kfac4j.cli.train.report.MetricsCsv;
import io.github.kfac4j.cli.train.report.Report;
import io.github.kfac4j.cli.train.report.Summary;
import io.github.kfac4j.cli.train.run.Comparison;
import io.github.kfac4j.cli.train.run.History;
import io.github.kfac4j.cli.train.run.Interruption;
import io.github.kfac4j.cli.train.run.OptimizerName;
import io.github.kfac4j.cli.train.run.RunFolder;
import io.github.kfac4j.cli.train.run.RunOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The subcommand {@code train}. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description = {
      "Trains a network on images with K-FAC beside SGD with momentum and Adam: same initial"
          + " weights, same batches.",
      "Leaves metrics.csv, curves.png, report.html and checkpoints in a folder. Ctrl-C leaves them"
          + " too, and --resume continues with the same bits."
    },
    sortOptions = false)
public final class TrainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private TrainArguments arguments;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder for the results (default: a new one under kfac-runs).")
  private Path out;

  @Option(
      names = "--resume",
      arity = "0..1",
      paramLabel = "DIR",
      fallbackValue = "",
      description =
          "Continue the run in DIR (or in --out) with its own options; --steps, --target and the"
              + " intervals may be changed.")
  private Path resume;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws IOException {
    RunFolder old = resume == null ? null : RunFolder.existing(resumeFolder());
    RunFolder.Description stored = old == null ? null : old.description();
    RunOptions asked = arguments.over(stored == null ? arguments.defaults() : stored.options());
    Dataset data = Datasets.load(asked.data(), Optional.ofNullable(asked.dataDir()).map(Path::of));
    asked = arguments.withEpochs(asked, data).withConcreteIntervals();
    asked.requireSettings();
    try (Backend backend = backend(asked)) {
      RunOptions options = backend == null ? asked : asked.withBackend(backend.name());
      RunFolder.Description description = new RunFolder.Description(options, data.describe());
      if (stored != null) {
        options.requireSameTraining(stored.options());
        requireSameData(description.data(), stored.data());
      }
      RunFolder folder = old == null ? newFolder(description) : old;
      folder.update(description);
      return run(options, data, backend, folder);
    }
  }

  private static Backend backend(RunOptions options) {
    if (options.optimizers().stream().noneMatch(name -> name.approximation().isPresent())) {
      return null;
    }
    return options.backend().equals(RunOptions.AUTO)
        ? Backends.best()
        : KnownBackends.open(options.backend());
  }

  private Path resumeFolder() {
    if (!resume.toString().isEmpty()) {
      if (out != null && !out.equals(resume)) {
        throw new BadInputException("--resume %s and --out %s differ".formatted(resume, out));
      }
      return resume;
    }
    if (out == null) {
      throw new BadInputException("--resume needs the folder of a run: --resume DIR");
    }
    return out;
  }

  private RunFolder newFolder(RunFolder.Description description) {
    return out == null ? RunFolder.createNumbered(description) : RunFolder.create(out, description);
  }

  private static void requireSameData(String found, String stored) {
    if (!found.equals(stored)) {
      throw new BadInputException(
          "the data are not those of the run to resume: found %s; the run had %s"
              .formatted(found, stored));
    }
  }

  private int run(RunOptions options, Dataset data, Backend backend, RunFolder folder)
      throws IOException {
    PrintWriter log = spec.commandLine().getErr();
    log.println(data.describe());
    if (backend != null) {
      log.println("K-FAC backend: " + backend.name());
    }
    log.println("results: " + folder.path());
    log.flush();
    Comparison.OnSave onSave = partial -> folder.write("metrics.csv", MetricsCsv.of(partial));
    try (Interruption interruption = new Interruption()) {
      Map<OptimizerName, History> histories =
          new Comparison(options, data, backend, folder, interruption, log, onSave).run();
      Report.write(histories, options, data, folder);
      print(histories, options, data, folder);
      return failures(histories, log) ? ExitCode.FAILED : ExitCode.OK;
    }
  }

  private static boolean failures(Map<OptimizerName, History> histories, PrintWriter log) {
    histories.forEach(
        (optimizer, history) ->
            history
                .failure()
                .ifPresent(
                    reason -> log.println("kfac train: %s %s".formatted(optimizer, reason))));
    log.flush();
    return histories.values().stream().anyMatch(history -> history.failure().isPresent());
  }

  private void print(
      Map<OptimizerName, History> histories, RunOptions options, Dataset data, RunFolder folder) {
    PrintWriter out = spec.commandLine().getOut();
    if (json.enabled()) {
      List<Summary> summaries = Summary.of(histories, options);
      JsonOption.print(JsonResult.of(summaries, options, data, folder), out);
      return;
    }
    out.print(Report.table(histories, options));
    out.println("report: " + folder.path().resolve("report.html"));
    out.flush();
  }
}
