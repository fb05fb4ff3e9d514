package io.github.kfac4j.experiments.train;

import ai.djl.ndarray.NDList;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.djl.DjlKfac;
import io.github.kfac4j.djl.DjlKfacOptimizer;
import io.github.kfac4j.experiments.network.Network;
import io.github.kfac4j.experiments.options.KfacSettings;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.trainer.StepTimes;
import java.util.List;
import java.util.Map;

/**
 * K-FAC with its own update rule. The empirical Fisher is the default: it costs no extra backward
 * pass, and as its factors shrink with the gradients of the training labels it needs no bound on
 * the step.
 */
final class KfacUpdate implements Update {
  private static final String KFAC = "kfac";
  private static final String OPTIMIZER = "optimizer";

  private final DjlKfac kfac;
  private final DjlKfacOptimizer optimizer;
  private final boolean observesInForwardPass;

  /** Attaches to the model's layers until it is closed; the backend stays the caller's. */
  KfacUpdate(Network network, RunOptions options, OptimizerName name, Backend backend, Team team) {
    KfacSettings.Built settings = KfacSettings.of(options, name, team.rank());
    int examples = options.batch() / settings.microBatches();
    kfac =
        DjlKfac.attach(
            network.model(),
            settings.options(),
            settings.fisher(),
            (layers, built) ->
                team.kfac(
                    backend,
                    layers,
                    tables(layers, flatten(layers, built, settings.flattened())),
                    examples,
                    options.hyperparameters().kfac().values().sharing()));
    observesInForwardPass = settings.fisher().estimator() != Fisher.Estimator.EMPIRICAL;
    kfac.setMicroBatches(settings.microBatches());
    optimizer =
        new DjlKfacOptimizer(
            kfac, settings.rule(), network.trainingLoss(), options.workload().model().outputLoss());
    if (team.size() > 1 && !kfac.unsupportedLayers().isEmpty()) {
      throw new IllegalStateException(
          "several ranks need K-FAC for all layers, but it does not support "
              + kfac.unsupportedLayers());
    }
  }

  /** Leaves tables of vectors, which have no other, with Kronecker factors. */
  private static KfacOptions tables(Map<String, Layer> layers, KfacOptions options) {
    KfacOptions changed = options;
    for (Map.Entry<String, Layer> entry : layers.entrySet()) {
      if (entry.getValue() instanceof Embedding) {
        changed = changed.withApproximation(entry.getKey(), Approximation.KRONECKER);
      }
    }
    return changed;
  }

  /**
   * Describes the fully connected layer behind a feature map as such, and sets its approximation.
   */
  private static KfacOptions flatten(
      Map<String, Layer> layers, KfacOptions options, Approximation approximation) {
    if (approximation == options.approximation()) {
      return options;
    }
    KfacOptions changed = options;
    int channels = 0;
    for (Map.Entry<String, Layer> entry : layers.entrySet()) {
      if (entry.getValue() instanceof Dense dense && channels > 0) {
        int positions = dense.inFeatures() / channels;
        entry.setValue(
            new FlattenedDense(channels, positions, dense.outFeatures(), dense.bias(), false));
        changed = changed.withApproximation(entry.getKey(), approximation);
      }
      channels = entry.getValue() instanceof Conv2d conv ? conv.outChannels() : 0;
    }
    return changed;
  }

  @Override
  public void apply(NDList inputs, NDList targets, long step) {
    try {
      optimizer.step(inputs, targets);
    } catch (IllegalArgumentException | InversionFailedException e) {
      throw new TrainingFailedException("K-FAC: " + e.getMessage(), e);
    }
  }

  /** The K-FAC of a single process. */
  Kfac kfac() {
    return (Kfac) kfac.kfac();
  }

  /** The names of the layers that it preconditions. */
  List<String> layers() {
    return kfac.layers();
  }

  @Override
  public double kfacSeconds() {
    StepTimes times = kfac.lastTimes().orElseThrow();
    long observe = observesInForwardPass ? 0 : times.observe();
    return 1e-9 * (observe + times.refresh() + times.precondition());
  }

  @Override
  public Map<String, Map<String, StoredTensor>> state() {
    return Map.of(KFAC, kfac.kfac().toTensors(), OPTIMIZER, optimizer.toTensors());
  }

  @Override
  public void restore(Map<String, Map<String, StoredTensor>> state) {
    kfac.kfac().restore(state.getOrDefault(KFAC, Map.of()));
    optimizer.restore(state.getOrDefault(OPTIMIZER, Map.of()));
  }

  @Override
  public void close() {
    kfac.close();
  }
}
