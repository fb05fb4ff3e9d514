package io.github.kfac4j.experiments.train;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.collectives.CollectiveException;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.CollectivesProvider;
import io.github.kfac4j.distributed.collectives.MpiCollectives;
import io.github.kfac4j.distributed.sharing.Handshake;
import io.github.kfac4j.distributed.sharing.Means;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.options.Sharing;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Map;

/**
 * The processes that train one network together, each on its part of every batch; one process that
 * does everything, unless {@code mpirun} or {@code srun} started several.
 */
public final class Team implements AutoCloseable {
  /** One process alone. */
  public static final Team ALONE = new Team(null);

  /** The engine that processes find each other by. */
  public static final String MPI = "mpi";

  private static final String TASKS = "SLURM_STEP_NUM_TASKS";

  private Collectives collectives;

  Team(Collectives collectives) {
    this.collectives = collectives;
  }

  /**
   * Joins the team that this process was started in.
   *
   * @throws BadInputException if there is one, but the processes cannot find each other
   */
  public static Team join() {
    Map<String, String> environment = System.getenv();
    int tasks = tasks(environment);
    if (!MpiCollectives.launched()) {
      if (tasks > 1 && environment.containsKey("SLURM_PROCID")) {
        throw new BadInputException(
            "srun started %d tasks that cannot find each other: add --mpi=pmix".formatted(tasks));
      }
      return ALONE;
    }
    try {
      Team team = new Team(MpiCollectives.join());
      if (!team.leads()) {
        // what rank 0 logs is enough
        System.setProperty("org.slf4j.simpleLogger.log.io.github.kfac4j", "warn");
      }
      return team;
    } catch (CollectiveException e) {
      throw new BadInputException("started as one of several ranks, but " + e.getMessage(), e);
    }
  }

  /**
   * How many tasks Slurm started together with this process.
   *
   * @throws BadInputException if the environment does not say a number
   */
  static int tasks(Map<String, String> environment) {
    String tasks = environment.getOrDefault(TASKS, "");
    if (tasks.isEmpty()) {
      return 1;
    }
    if (!tasks.matches("\\d{1,9}")) {
      throw new BadInputException(
          "%s is '%s', which is no number of tasks: unset it unless srun starts this process"
              .formatted(TASKS, tasks));
    }
    return Integer.parseInt(tasks);
  }

  /**
   * Makes the processes communicate over another engine from now on; called by all.
   *
   * @throws BadInputException if there is none of this name, or this process is alone
   * @throws BackendUnavailableException on all, if one of them cannot use it, with the reason
   */
  public void use(String engine) {
    if (engine.equals(MPI)) {
      return;
    }
    CollectivesProvider provider =
        CollectivesProvider.all().stream()
            .filter(one -> one.name().equals(engine))
            .findFirst()
            .orElseThrow(
                () ->
                    new BadInputException(
                        "--collectives: unknown '%s'; known are mpi and nccl".formatted(engine)));
    if (size() == 1) {
      throw new BadInputException(
          "--collectives %s: this process is alone; start several by mpirun".formatted(engine));
    }
    String reason = provider.unavailableReason();
    if (any(reason != null)) {
      throw new BackendUnavailableException(
          engine, reason == null ? "another rank cannot use it" : reason);
    }
    try {
      collectives = provider.join(collectives);
    } catch (CollectiveException e) {
      throw new BackendUnavailableException(engine, e.getMessage());
    }
  }

  /** This process, from 0. */
  public int rank() {
    return collectives == null ? 0 : collectives.rank();
  }

  /** The number of processes. */
  public int size() {
    return collectives == null ? 1 : collectives.size();
  }

  /** What joins the processes; null for one alone. */
  public Collectives collectives() {
    return collectives;
  }

  /** Whether this process shows progress and writes the results. */
  public boolean leads() {
    return rank() == 0;
  }

  /**
   * Where this process's part of a number of examples starts; it ends where that of the next rank
   * starts.
   */
  int start(int count, int ofRank) {
    return (int) ((long) count * ofRank / size());
  }

  /** The number of examples in this process's part. */
  int share(int count) {
    return start(count, rank() + 1) - start(count, rank());
  }

  /** Sums over all processes. */
  double[] sum(double... values) {
    return size() == 1 ? values : Means.sum(collectives, values);
  }

  /** Whether it holds for any process; the same answer for all. */
  public boolean any(boolean mine) {
    return sum(mine ? 1 : 0)[0] > 0;
  }

  /** Replaces gradients of parts of a batch by those of the batch. */
  void average(Map<String, HostTensor> gradients, int batch) {
    if (size() > 1) {
      Means.average(collectives, gradients, (double) share(batch) / batch);
    }
  }

  /** K-FAC of the whole team; each process sees a part of the examples. */
  KfacPreconditioner kfac(
      Backend backend,
      Map<String, Layer> layers,
      KfacOptions options,
      int examples,
      Sharing sharing) {
    if (size() == 1) {
      return new Kfac(backend, layers, options);
    }
    DistributedKfac kfac = sharing.kfac(collectives, backend, layers, options);
    kfac.setExamples(share(examples));
    return kfac;
  }

  /**
   * Makes sure that all processes were asked for the same run.
   *
   * @throws BadInputException naming what differs and both values
   */
  public void requireSame(Map<String, String> facts) {
    if (size() > 1) {
      try {
        Handshake.requireSame(collectives, facts);
      } catch (IllegalStateException e) {
        throw new BadInputException(e.getMessage(), e);
      }
    }
  }

  /** Ends all processes with this exit code if there are several; otherwise does nothing. */
  public void giveUp(String reason, int exitCode) {
    if (size() > 1) {
      collectives.abort(reason, exitCode);
    }
  }

  @Override
  public void close() {
    if (collectives != null) {
      collectives.close();
    }
  }
}
