package io.github.kfac4j.experiments.study.search;

import io.github.kfac4j.experiments.study.trial.Result;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * How many searches go on side by side, and where. A search itself is serial, as what its trials
 * may take depends on those before: side by side they come out as one after the other.
 *
 * @param count at least 1
 * @param worker the command of a worker process; with a single job trials are trained in this one
 */
public record Jobs(int count, List<String> worker) {
  /** One trial after the other, in this process. */
  public static final Jobs ONE = new Jobs(1, List.of());

  /**
   * The results of all searches in their order.
   *
   * @param local trains in this process
   * @param onFailure is called when one fails, before the others are waited for
   */
  List<Result> run(List<SearchRun> searches, Trainer local, Runnable onFailure) throws IOException {
    List<Result> results = new ArrayList<>();
    if (count == 1) {
      for (SearchRun search : searches) {
        results.addAll(search.run(local));
      }
      return results;
    }
    List<Trainer> trainers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      trainers.add(new WorkerProcess(worker));
    }
    ExecutorService pool = Executors.newFixedThreadPool(count);
    try {
      BlockingQueue<Trainer> free = new LinkedBlockingQueue<>(trainers);
      List<Future<List<Result>>> futures = new ArrayList<>();
      for (SearchRun search : searches) {
        futures.add(pool.submit(() -> with(free, search, onFailure)));
      }
      for (Future<List<Result>> future : futures) {
        results.addAll(get(future));
      }
      return results;
    } finally {
      pool.shutdown();
      trainers.forEach(Trainer::close);
    }
  }

  private static List<Result> with(
      BlockingQueue<Trainer> free, SearchRun search, Runnable onFailure) throws Exception {
    Trainer trainer = free.take();
    try {
      return search.run(trainer);
    } catch (IOException | RuntimeException e) {
      onFailure.run();
      throw e;
    } finally {
      free.add(trainer);
    }
  }

  private static List<Result> get(Future<List<Result>> future) throws IOException {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      if (e.getCause() instanceof RuntimeException runtime) {
        throw runtime;
      }
      throw new IOException(e.getCause());
    }
  }
}
