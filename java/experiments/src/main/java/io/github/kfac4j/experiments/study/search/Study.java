package io.github.kfac4j.experiments.study.search;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.study.report.StudyReport;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.train.Interruption;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Trains the trials of a study, except for those that were finished before. */
public final class Study implements AutoCloseable {
  private final Settings settings;
  private final Plan plan;
  private final Jobs jobs;
  private final Dataset data;
  private final Backend backend;
  private final StudyFolder folder;
  private final PrintWriter log;
  private final Interruption interruption = new Interruption();
  private boolean complete;

  private Study(
      Settings settings,
      Plan plan,
      Jobs jobs,
      Dataset data,
      Backend backend,
      StudyFolder folder,
      PrintWriter log) {
    this.settings = settings;
    this.plan = plan;
    this.jobs = jobs;
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

    /** What the results say; they are of so many training images. */
    StudyReport report(List<Result> results, Settings settings, int images);
  }

  /**
   * Checks everything and opens the folder.
   *
   * @param jobs how many searches go on side by side
   * @param backends opens the backend of a name, or for {@link RunOptions#AUTO} the best
   * @throws BadInputException if an option is bad, or the folder is that of another study
   */
  public static Study open(
      Settings asked,
      Plan plan,
      Jobs jobs,
      Path out,
      PrintWriter log,
      Function<String, Backend> backends) {
    quiet();
    Dataset data = asked.workload().load();
    plan.searches(asked).forEach(search -> requireTrainable(search, asked, data));
    Backend backend = backends.apply(asked.backend());
    try {
      Settings settings = asked.withBackend(backend.name());
      Map<String, String> facts = new LinkedHashMap<>(plan.facts());
      facts.put("data", data.describe());
      facts.put(StoredStudy.IMAGES, String.valueOf(data.train().count()));
      facts.putAll(settings.facts());
      return new Study(
          settings, plan, jobs, data, backend, StudyFolder.open(out, plan.csvName(), facts), log);
    } catch (RuntimeException e) {
      backend.close();
      throw e;
    }
  }

  /** Leaves out what every trial would say again. */
  static void quiet() {
    System.setProperty("org.slf4j.simpleLogger.log.io.github.kfac4j.djl", "warn");
  }

  private static void requireTrainable(Search search, Settings settings, Dataset data) {
    int images = data.train().count();
    if (search.batch() > images) {
      throw new BadInputException(
          "--batch %d is more than the %d training %s"
              .formatted(search.batch(), images, data.train().unit()));
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
    StudyReport report = plan.report(results, settings, data.train().count());
    if (!complete) {
      report = report.interrupted();
    }
    folder.write(plan.csvName(), TrialsCsv.trials(results));
    folder.write(StudyFolder.CURVES, TrialsCsv.curves(results));
    folder.write(report);
    return report;
  }

  private List<Result> train() throws IOException {
    List<Search> searches = plan.searches(settings);
    int trials = searches.stream().mapToInt(search -> search.trials() + search.repeats()).sum();
    log.println(data.describe());
    log.println("%d trials at least, K-FAC backend %s".formatted(trials, backend.name()));
    log.println("results: " + folder.path());
    log.flush();
    List<Result> results;
    try (StudyProgress progress = new StudyProgress(trials, log)) {
      AtomicBoolean failed = new AtomicBoolean();
      BooleanSupplier stop = () -> interruption.requested() || failed.get();
      List<SearchRun> runs =
          searches.stream()
              .map(
                  search ->
                      new SearchRun(
                          search,
                          settings.budget().steps(search.batch(), data.train().count()),
                          settings,
                          folder,
                          progress,
                          stop))
              .toList();
      results = jobs.run(runs, new LocalTrainer(data, backend), () -> failed.set(true));
    }
    complete = !interruption.requested();
    if (!complete) {
      log.println(
          "interrupted: %d trials are finished; repeat the command to continue"
              .formatted(results.size()));
      log.flush();
    }
    return results;
  }

  /** Whether {@link #run} finished all trials. */
  public boolean complete() {
    return complete;
  }

  /** What determines its results, by option. */
  public Map<String, String> facts() {
    return folder.facts();
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
