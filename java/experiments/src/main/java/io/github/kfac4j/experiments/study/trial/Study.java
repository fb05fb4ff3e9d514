package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.Datasets;
import io.github.kfac4j.experiments.train.History;
import io.github.kfac4j.experiments.train.Interruption;
import io.github.kfac4j.experiments.train.RunOptions;
import io.github.kfac4j.experiments.train.SingleRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Trains the trials of a study one after the other, except for those finished before. */
public final class Study implements AutoCloseable {
  private final Settings settings;
  private final Plan plan;
  private final Dataset data;
  private final Backend backend;
  private final StudyFolder folder;
  private final PrintWriter log;
  private final Interruption interruption = new Interruption();
  private boolean complete;

  private Study(
      Settings settings,
      Plan plan,
      Dataset data,
      Backend backend,
      StudyFolder folder,
      PrintWriter log) {
    this.settings = settings;
    this.plan = plan;
    this.data = data;
    this.backend = backend;
    this.folder = folder;
    this.log = log;
  }

  /** What a kind of study has of its own. */
  public interface Plan {
    /** What it is called, also in the names of its files. */
    String name();

    /** Its trials; those of an optimizer and a batch size in ascending order. */
    List<Trial> trials(Settings settings);

    /** Whether a trial ends when it has trained as long as a better one before it. */
    boolean stopsBehindBest();

    /** What determines its results beside the settings, by option; the kind is among it. */
    Map<String, String> facts();

    /** What the results say. */
    StudyReport report(List<Result> results, Settings settings);
  }

  /**
   * Checks everything and opens the folder.
   *
   * @param backends opens the backend of a name, or for {@link RunOptions#AUTO} the best
   * @throws BadInputException if an option is bad, or the folder is that of another study
   */
  public static Study open(
      Settings asked, Plan plan, Path out, PrintWriter log, Function<String, Backend> backends) {
    // what every trial would say again
    System.setProperty("org.slf4j.simpleLogger.log.io.github.kfac4j.djl", "warn");
    Dataset data = Datasets.load(asked.data(), Optional.ofNullable(asked.dataDir()).map(Path::of));
    plan.trials(asked).forEach(trial -> requireTrainable(trial, asked, data));
    Backend backend = backends.apply(asked.backend());
    try {
      Settings settings = asked.withBackend(backend.name());
      Map<String, String> facts = new LinkedHashMap<>(plan.facts());
      facts.put("data", data.describe());
      facts.putAll(settings.facts());
      return new Study(settings, plan, data, backend, StudyFolder.open(out, facts), log);
    } catch (RuntimeException e) {
      backend.close();
      throw e;
    }
  }

  private static void requireTrainable(Trial trial, Settings settings, Dataset data) {
    int images = data.train().count();
    if (trial.batch() > images) {
      throw new BadInputException(
          "--batch %d is more than the %d training images".formatted(trial.batch(), images));
    }
    settings.run(trial, settings.budget(trial.batch(), images)).requireSettings();
  }

  /**
   * Trains until all trials are finished or the process is asked to end, and leaves a table of all
   * trials, the picture and a page in the folder.
   */
  public StudyReport run() throws IOException {
    List<Result> results = train();
    StudyReport report = plan.report(results, settings);
    if (!complete) {
      report = report.interrupted();
    }
    folder.write(report.csvName(), TrialsCsv.of(results));
    if (report.png() != null) {
      folder.write(plan.name() + ".png", report.png());
    }
    folder.write("report.html", StudyPage.of(report, this));
    return report;
  }

  private List<Result> train() throws IOException {
    List<Trial> trials = plan.trials(settings);
    log.println(data.describe());
    log.println("%d trials, K-FAC backend %s".formatted(trials.size(), backend.name()));
    log.println("results: " + folder.path());
    log.flush();
    Map<Trial, Outcome> known = new LinkedHashMap<>();
    trials.forEach(trial -> folder.outcome(trial).ifPresent(outcome -> known.put(trial, outcome)));
    List<Result> results = new ArrayList<>();
    try (StudyProgress progress = new StudyProgress(trials.size(), known.size(), log)) {
      for (Trial trial : trials) {
        if (known.containsKey(trial)) {
          results.add(new Result(trial, known.get(trial)));
          continue;
        }
        Outcome outcome = train(trial, limit(trial, results), progress);
        if (interruption.requested()) {
          break; // the trial was cut short
        }
        Result result = new Result(trial, outcome);
        folder.keep(result);
        results.add(result);
        progress.finish(result);
      }
    }
    complete = results.size() == trials.size();
    if (!complete) {
      log.println(
          "interrupted: %d of %d trials are finished; repeat the command to continue"
              .formatted(results.size(), trials.size()));
      log.flush();
    }
    return results;
  }

  private long limit(Trial trial, List<Result> results) {
    long budget = settings.budget(trial.batch(), data.train().count());
    if (!plan.stopsBehindBest()) {
      return budget;
    }
    return results.stream()
        .filter(result -> result.trial().competesWith(trial) && result.outcome().reached())
        .mapToLong(result -> result.outcome().stepsToGoal())
        .min()
        .orElse(budget);
  }

  private Outcome train(Trial trial, long limit, StudyProgress progress) {
    RunOptions options = settings.run(trial, limit);
    History history =
        SingleRun.train(
            options,
            data,
            backend,
            interruption::requested,
            current -> progress.show(trial, limit, current));
    return Outcome.of(trial, history, options);
  }

  /** Whether {@link #run} finished all trials. */
  public boolean complete() {
    return complete;
  }

  /** What all trials share. */
  public Settings settings() {
    return settings;
  }

  /** The data set. */
  public Dataset data() {
    return data;
  }

  /** Where results go. */
  public StudyFolder folder() {
    return folder;
  }

  @Override
  public void close() {
    interruption.close();
    folder.close();
    backend.close();
  }
}
