package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.data.Dataset;
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

/** Trains the trials of a study one after the other, except for those that were finished before. */
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

  /** What distinguishes one kind of study from another. */
  public interface Plan {
    /** Its name, also in the names of its files. */
    String name();

    /** The file with every trial. */
    String csvName();

    /** What it looks for, in the order in which it is trained. */
    List<Search> searches(Settings settings);

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
    Dataset data = asked.workload().load();
    plan.searches(asked).forEach(search -> requireTrainable(search, asked, data));
    Backend backend = backends.apply(asked.backend());
    try {
      Settings settings = asked.withBackend(backend.name());
      Map<String, String> facts = new LinkedHashMap<>(plan.facts());
      facts.put("data", data.describe());
      facts.putAll(settings.facts());
      return new Study(
          settings, plan, data, backend, StudyFolder.open(out, plan.csvName(), facts), log);
    } catch (RuntimeException e) {
      backend.close();
      throw e;
    }
  }

  private static void requireTrainable(Search search, Settings settings, Dataset data) {
    int images = data.train().count();
    if (search.batch() > images) {
      throw new BadInputException(
          "--batch %d is more than the %d training images".formatted(search.batch(), images));
    }
    long budget = settings.budget().steps(Math.max(1, search.batch()), images);
    for (int number = 0; number < search.trials(); number++) {
      settings.run(search.trial(number), budget, budget).requireSettings();
    }
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
    folder.write(plan.csvName(), TrialsCsv.trials(results));
    folder.write(StudyFolder.CURVES, TrialsCsv.curves(results));
    if (report.png() != null) {
      folder.write(plan.name() + ".png", report.png());
    }
    folder.write("report.html", StudyPage.of(report, this));
    return report;
  }

  private List<Result> train() throws IOException {
    List<Search> searches = plan.searches(settings);
    int trials = searches.stream().mapToInt(search -> search.trials() + search.repeats()).sum();
    log.println(data.describe());
    log.println("%d trials at least, K-FAC backend %s".formatted(trials, backend.name()));
    log.println("results: " + folder.path());
    log.flush();
    List<Result> results = new ArrayList<>();
    complete = true;
    try (StudyProgress progress = new StudyProgress(trials, log)) {
      for (Search search : searches) {
        List<Result> own = train(search, progress);
        results.addAll(own);
        progress.expect(search, own);
      }
    }
    if (!complete) {
      log.println(
          "interrupted: %d trials are finished; repeat the command to continue"
              .formatted(results.size()));
      log.flush();
    }
    return results;
  }

  /** The search, then the repetitions of its best trial. */
  private List<Result> train(Search search, StudyProgress progress) throws IOException {
    long budget = settings.budget().steps(search.batch(), data.train().count());
    List<Result> results = new ArrayList<>();
    Optional<Trial> next = search.next(results);
    while (complete && next.isPresent()) {
      long limit = settings.runToEnd() ? budget : search.limit(results, budget);
      outcome(next.get(), limit, budget, progress).ifPresent(results::add);
      next = search.next(results);
    }
    Optional<Result> best = Search.best(results);
    for (int repeat = 1; complete && best.isPresent() && repeat <= search.repeats(); repeat++) {
      Trial trial = best.get().trial().repeated(repeat);
      outcome(trial, budget, budget, progress).ifPresent(results::add);
    }
    return results;
  }

  /** The outcome of a trial, from before or from now; empty if the process is asked to end. */
  private Optional<Result> outcome(Trial trial, long limit, long budget, StudyProgress progress)
      throws IOException {
    Optional<Outcome> known = folder.outcome(trial);
    if (known.isEmpty()) {
      Outcome outcome = train(trial, limit, budget, progress);
      if (interruption.requested()) { // the trial was cut short
        complete = false;
        return Optional.empty();
      }
      folder.keep(new Result(trial, outcome));
      known = Optional.of(outcome);
      progress.finish(new Result(trial, outcome));
    } else {
      progress.skip();
    }
    return Optional.of(new Result(trial, known.get()));
  }

  private Outcome train(Trial trial, long limit, long budget, StudyProgress progress) {
    RunOptions options = settings.run(trial, limit, budget);
    History history =
        SingleRun.train(
            options,
            data,
            backend,
            settings.runToEnd(),
            interruption::requested,
            current -> progress.show(trial, limit, current));
    return Outcome.of(trial, history, options, limit < budget, settings.divergence());
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
