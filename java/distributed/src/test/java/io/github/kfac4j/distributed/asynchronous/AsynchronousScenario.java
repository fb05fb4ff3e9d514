package io.github.kfac4j.distributed.asynchronous;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.sharing.Mlp;
import io.github.kfac4j.distributed.sharing.TrainingScenario;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Trains {@link Mlp} by the ranks of a plan; for any engine. */
public final class AsynchronousScenario {
  private AsynchronousScenario() {}

  /** How a rank fared: the weights of a gradient worker, and its lags. */
  public record Result(List<double[]> weights, List<Long> lags) {}

  /** What else happens in a step of a gradient worker. */
  public interface InStep {
    void after(GradientWorker worker, Mlp network, long step);
  }

  public static Result run(
      Collectives all, AsynchronousPlan plan, Backend backend, KfacOptions options, int steps) {
    return run(all, plan, backend, options, steps, (worker, network, step) -> {});
  }

  public static Result run(
      Collectives all,
      AsynchronousPlan plan,
      Backend backend,
      KfacOptions options,
      int steps,
      InStep inStep) {
    Precision precision = Precision.FP32;
    return switch (plan.role(all.rank())) {
      case GRADIENTS -> {
        try (var worker =
            new GradientWorker(all, plan, backend, Mlp.layers(), options, precision)) {
          yield gradients(worker, plan.gradients(), all.rank(), steps, inStep);
        }
      }
      case STATISTICS -> {
        try (var worker =
            new StatisticsWorker(all, plan, backend, Mlp.layers(), options, precision)) {
          statistics(worker, plan.statistics(), all.rank() - plan.gradients());
        }
        yield null;
      }
      case INVERSES -> {
        try (var worker = new InverseWorker(all, plan, backend, Mlp.layers(), options, precision)) {
          worker.run();
        }
        yield null;
      }
    };
  }

  private static Result gradients(
      GradientWorker worker, int ranks, int rank, int steps, InStep inStep) {
    Mlp network = new Mlp();
    List<Long> lags = new ArrayList<>();
    int[] bounds = TrainingScenario.EVEN.bounds(ranks);
    while (worker.step() < steps) {
      long step = worker.step();
      worker.startStep(views(network));
      network.forwardBackward(step, bounds[rank], bounds[rank + 1]);
      List<LayerGradient> gradients = network.gradients();
      worker.precondition(gradients);
      lags.add(worker.lag());
      network.update(gradients);
      inStep.after(worker, network, step);
    }
    return new Result(network.weights(), lags);
  }

  private static void statistics(StatisticsWorker worker, int ranks, int rank) {
    Mlp network = new Mlp();
    int[] bounds = TrainingScenario.EVEN.bounds(ranks);
    OptionalLong step;
    while ((step = worker.awaitWeights(views(network))).isPresent()) {
      network.forwardBackward(step.getAsLong(), bounds[rank], bounds[rank + 1]);
      worker.observe(network.observations(), Share.ALL);
      worker.publish();
    }
  }

  public static Map<String, List<HostTensor>> views(Mlp network) {
    Map<String, List<HostTensor>> weights = new LinkedHashMap<>();
    for (double[] w : network.weights()) {
      weights.put("fc" + weights.size(), List.of(HostTensor.of(w, w.length)));
    }
    return weights;
  }
}
