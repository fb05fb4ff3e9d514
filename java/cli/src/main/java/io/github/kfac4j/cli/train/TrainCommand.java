package io.github.kfac4j.cli.train;

import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.cli.common.KnownBackends;
import io.github.kfac4j.cli.common.Version;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.comparison.ComparisonRun;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.report.JsonResult;
import io.github.kfac4j.experiments.report.RunFolder;
import io.github.kfac4j.experiments.report.RunReport;
import io.github.kfac4j.experiments.report.Summary;
import io.github.kfac4j.experiments.train.History;
import io.github.kfac4j.experiments.train.Team;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
      "Trains a network on images or text with K-FAC beside SGD with momentum and Adam: same initial"
          + " weights, same batches.",
      "Leaves metrics.csv, curves.png, report.html and checkpoints in a folder. Ctrl-C leaves them"
          + " too, and --resume continues with the same bits."
    },
    footerHeading = "%nOn several processes:%n",
    footer = {
      "Started by mpirun or srun (OpenMPI 4), each rank trains on its part of every batch, each"
          + " layer is inverted by one rank, and rank 0 shows progress and writes the results. The"
          + " folder must be one that all ranks see; it resumes with any number of ranks.",
      "  one machine:   mpirun -n 4 --bind-to none -x OMP_NUM_THREADS=1 java -jar kfac.jar train",
      "  Slurm:         srun -N 8 --ntasks-per-node=2 --mpi=pmix java -jar kfac.jar train",
      "  one GPU each:  srun --ntasks-per-node=4 --gpus-per-task=1 --mpi=pmix java -jar kfac.jar"
          + " train --backend cuda",
      "or, where every rank sees all GPUs of its machine and takes the one of its own number:",
      "                 mpirun -n 4 --bind-to none java -jar kfac.jar train --backend cuda",
      "Add --collectives nccl to sum over NCCL 2 instead of MPI, which then only starts the ranks.",
      "--kfac assignment=, workers= and payload= say how the work is divided and what travels.",
      "As root add --allow-run-as-root; with more ranks than cores, --oversubscribe. Ctrl-C ends"
          + " all ranks at once; --resume then continues from the last checkpoint."
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
          "Continue the run in DIR (or in --out) with its own options; --steps, --target,"
              + " --evaluate-every and --checkpoint-every may be changed.")
  private Path resume;

  @Option(
      names = "--collectives",
      paramLabel = "NAME",
      description =
          "What several ranks communicate over: mpi (default), or nccl, with one GPU a rank; see"
              + " below.")
  private String engine = Team.MPI;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws IOException {
    try (Team team = Team.join()) {
      try {
        return call(team);
      } catch (IOException | RuntimeException e) {
        giveUp(team, e);
        throw e;
      }
    }
  }

  private static void giveUp(Team team, Exception e) {
    boolean input = e instanceof BadInputException;
    boolean backend = e instanceof BackendUnavailableException;
    team.giveUp(
        input || backend ? e.getMessage() : e.toString(),
        input ? ExitCode.BAD_INPUT : backend ? ExitCode.UNAVAILABLE : ExitCode.FAILED);
  }

  private int call(Team team) throws IOException {
    RunFolder old = resume == null ? null : RunFolder.existing(resumeFolder());
    RunOptions asked =
        arguments.over(old == null ? arguments.defaults() : old.description().options());
    Dataset data = asked.workload().load();
    asked = arguments.withEpochs(asked, data);
    try (ComparisonRun run =
        ComparisonRun.open(
            asked, data, old, team, engine, Version.current(), KnownBackends::openOrBest)) {
      PrintWriter log =
          team.leads() ? spec.commandLine().getErr() : new PrintWriter(Writer.nullWriter());
      Map<OptimizerName, History> histories = run.run(out, log);
      if (team.leads()) {
        print(histories, run);
      }
      return failures(histories, log) ? ExitCode.FAILED : ExitCode.OK;
    }
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

  private void print(Map<OptimizerName, History> histories, ComparisonRun run) {
    PrintWriter stdout = spec.commandLine().getOut();
    if (json.enabled()) {
      List<Summary> summaries = Summary.of(histories, run.options());
      JsonOption.print(JsonResult.of(summaries, run.options(), run.data(), run.folder()), stdout);
      return;
    }
    stdout.print(RunReport.table(histories, run.options()));
    stdout.println("report: " + run.folder().path().resolve("report.html"));
    stdout.flush();
  }
}
