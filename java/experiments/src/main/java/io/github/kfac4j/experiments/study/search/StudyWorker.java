package io.github.kfac4j.experiments.study.search;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import io.github.kfac4j.experiments.study.trial.TrialTask;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;

/** What a {@link WorkerProcess} runs: trials come as lines, outcomes go as lines. */
public final class StudyWorker {
  private StudyWorker() {}

  /**
   * Trains until the input ends, then ends the process: whoever started it is gone.
   *
   * @param backends opens a backend by its name
   */
  public static void run(InputStream in, PrintStream out, Function<String, Backend> backends)
      throws IOException, InterruptedException {
    BlockingQueue<String> tasks = read(in);
    Dataset data = null;
    Backend backend = null;
    while (true) {
      TrialTask task = WorkerProcess.MAPPER.readValue(tasks.take(), TrialTask.class);
      if (data == null) { // the same in all trials of a study
        Study.quiet();
        data = task.options().workload().load();
        backend = backends.apply(task.options().backend());
      }
      Optional<TrialOutcome> outcome = task.train(data, backend, () -> false, history -> {});
      String line = WorkerProcess.MAPPER.writeValueAsString(outcome.orElseThrow());
      out.println(WorkerProcess.OUTCOME + line);
      out.flush();
    }
  }

  /** Lines as they come; the end of the input is noticed in the middle of a trial too. */
  private static BlockingQueue<String> read(InputStream in) {
    BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    Thread reader =
        new Thread(
            () -> {
              try (BufferedReader source = new BufferedReader(new InputStreamReader(in, UTF_8))) {
                for (String line = source.readLine(); line != null; line = source.readLine()) {
                  lines.add(line);
                }
              } catch (IOException e) {
                // the same as the end of the input
              }
              Runtime.getRuntime().halt(0);
            },
            "trials");
    reader.setDaemon(true);
    reader.start();
    return lines;
  }
}
