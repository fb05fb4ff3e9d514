package io.github.kfac4j.experiments.comparison;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.report.MetricsCsv;
import io.github.kfac4j.experiments.report.RunFolder;
import io.github.kfac4j.experiments.report.RunReport;
import io.github.kfac4j.experiments.train.History;
import io.github.kfac4j.experiments.train.Interruption;
import io.github.kfac4j.experiments.train.Team;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/** A comparison of optimizers by one process or by all of a team, new or resumed. */
public final class ComparisonRun implements AutoCloseable {
  private final RunOptions options;
  private final Dataset data;
  private final Backend backend;
  private final RunFolder old;
  private final Team team;
  private final Interruption interruption = new Interruption();
  private RunFolder folder;

  private ComparisonRun(
      RunOptions options, Dataset data, Backend backend, RunFolder old, Team team) {
    this.options = options;
    this.data = data;
    this.backend = backend;
    this.old = old;
    this.team = team;
  }

  /**
   * Checks everything and makes sure that the whole team was asked for the same run.
   *
   * @param asked the options
   * @param old the folder of the run that is resumed, or null
   * @param engine the collectives of the team
   * @param version of the program, in which ranks must agree
   * @param backends opens the backend of a name, or for {@link RunOptions#AUTO} the best
   * @throws BadInputException naming what is bad, or differs from the run that is resumed
   */
  public static ComparisonRun open(
      RunOptions asked,
      Dataset data,
      RunFolder old,
      Team team,
      String engine,
      String version,
      Function<String, Backend> backends) {
    RunOptions concrete = asked.withConcreteIntervals();
    RunFolder.Description stored = old == null ? null : old.description();
    concrete.requireSettings();
    concrete.requireShareable(team.size());
    boolean fisher =
        concrete.optimizers().stream().anyMatch(name -> name.approximation().isPresent());
    Backend backend = fisher ? backends.apply(concrete.backend()) : null;
    try {
      RunOptions options = backend == null ? concrete : concrete.withBackend(backend.name());
      if (stored != null) {
        options.requireSameTraining(stored.options());
        requireSameData(data.describe(), stored.data());
      }
      Map<String, String> facts = new LinkedHashMap<>();
      facts.put("the version of kfac", version);
      facts.put("the run", options.toString());
      facts.put("the data", data.describe());
      facts.put("--collectives", engine);
      team.requireSame(facts);
      team.use(engine);
      return new ComparisonRun(options, data, backend, old, team);
    } catch (RuntimeException e) {
      if (backend != null) {
        backend.close();
      }
      throw e;
    }
  }

  private static void requireSameData(String found, String stored) {
    if (!found.equals(stored)) {
      throw new BadInputException(
          "the data are not those of the run to resume: found %s; the run had %s"
              .formatted(found, stored));
    }
  }

  /**
   * Trains until all is done or the process is asked to end; the leading process shows progress and
   * writes checkpoints and the report.
   *
   * @param out the folder of a new run; null for a numbered one
   */
  public Map<OptimizerName, History> run(Path out, PrintWriter log) throws IOException {
    if (!team.leads()) {
      return compare(old, new PrintWriter(Writer.nullWriter()), partial -> {});
    }
    RunFolder.Description description = new RunFolder.Description(options, data.describe());
    folder = old == null ? newFolder(out, description) : old;
    folder.lock();
    folder.update(description);
    log.println(data.describe());
    if (backend != null) {
      log.println("K-FAC backend: " + backend.name());
    }
    if (team.size() > 1) {
      log.println("ranks: %d over %s".formatted(team.size(), team.collectives().name()));
    }
    log.println("results: " + folder.path());
    log.flush();
    return compare(folder, log, partial -> folder.write("metrics.csv", MetricsCsv.of(partial)));
  }

  private static RunFolder newFolder(Path out, RunFolder.Description description) {
    return out == null ? RunFolder.createNumbered(description) : RunFolder.create(out, description);
  }

  private Map<OptimizerName, History> compare(
      RunFolder where, PrintWriter log, OptimizerComparison.OnSave onSave) throws IOException {
    Map<OptimizerName, History> histories =
        new OptimizerComparison(options, data, backend, where, team, interruption, log, onSave)
            .run();
    if (team.leads()) {
      RunReport.write(histories, options, data, where);
    }
    return histories;
  }

  /** The options, with everything concrete. */
  public RunOptions options() {
    return options;
  }

  /** The data set. */
  public Dataset data() {
    return data;
  }

  /** Where the leading process wrote, after {@link #run}. */
  public RunFolder folder() {
    return folder;
  }

  /** Lets a process end that was asked to. */
  @Override
  public void close() {
    interruption.close();
    if (folder != null) {
      folder.close();
    }
    if (backend != null) {
      backend.close();
    }
  }
}
