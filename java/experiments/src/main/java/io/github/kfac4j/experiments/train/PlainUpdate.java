package io.github.kfac4j.experiments.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.github.kfac4j.experiments.network.Network;
import io.github.kfac4j.experiments.train.optimizer.Optimizer;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.trainer.Schedule;
import io.github.kfac4j.trainer.WeightDecay;
import java.util.Map;

/** SGD and Adam. */
final class PlainUpdate implements Update {
  private static final String OPTIMIZER = "optimizer";

  private final Network network;
  private final Optimizer optimizer;
  private final Schedule rate;
  private final WeightDecay decay;
  private final Team team;
  private final int batch;

  /**
   * Makes an update rule.
   *
   * @param batch examples of all processes together
   */
  PlainUpdate(
      Network network,
      Optimizer optimizer,
      Schedule rate,
      WeightDecay decay,
      Team team,
      int batch) {
    this.network = network;
    this.optimizer = optimizer;
    this.rate = rate;
    this.decay = decay;
    this.team = team;
    this.batch = batch;
  }

  @Override
  public void apply(NDList inputs, NDList targets, long step) {
    Map<String, NDArray> gradients = network.gradients();
    double alpha = rate.at(step);
    try {
      team.average(Arrays.hostViews(gradients), batch);
      network
          .parameters()
          .forEach(
              (name, w) -> {
                if (decay.l2() > 0) {
                  try (NDArray term = w.mul((float) decay.l2())) {
                    gradients.get(name).addi(term);
                  }
                }
                if (decay.decoupled() > 0) {
                  w.muli((float) (1 - alpha * decay.decoupled()));
                }
              });
      optimizer.step(network.parameters(), gradients, alpha, step);
      gradients.values().forEach(gradient -> gradient.muli(0f)); // the next backward pass adds
    } finally {
      gradients.values().forEach(NDArray::close);
    }
  }

  @Override
  public double kfacSeconds() {
    return 0;
  }

  @Override
  public Map<String, Map<String, StoredTensor>> state() {
    return Map.of(OPTIMIZER, Arrays.views(optimizer.state()));
  }

  @Override
  public void restore(Map<String, Map<String, StoredTensor>> state) {
    Arrays.restore(optimizer.state(), state.getOrDefault(OPTIMIZER, Map.of()));
  }

  @Override
  public void close() {}
}
