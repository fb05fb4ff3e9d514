package io.github.kfac4j.distributed.collectives;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Runs something on ranks that are threads. */
public final class Ranks {
  /** What a rank does. */
  public interface Task<T> {
    T run(Collectives collectives) throws Exception;
  }

  private Ranks() {}

  /** The results in the order of the ranks; the first failure is thrown. */
  public static <T> List<T> run(int size, Task<T> task) {
    List<Collectives> job = ThreadCollectives.job(size);
    ExecutorService threads = Executors.newFixedThreadPool(size);
    try {
      List<Future<T>> futures =
          job.stream()
              .map(
                  collectives ->
                      threads.submit(
                          () -> {
                            try (collectives) {
                              return task.run(collectives);
                            }
                          }))
              .toList();
      List<T> results = new ArrayList<>();
      for (Future<T> future : futures) {
        results.add(future.get(60, TimeUnit.SECONDS));
      }
      return results;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      threads.shutdownNow();
    }
  }
}
