package io.github.kfac4j.experiments.train.optimizer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.kfac4j.trainer.Schedule;
import java.util.LinkedHashMap;
import java.util.Map;

/** Heavy-ball momentum: v = momentum v + g, w = w - learningRate v. */
public final class Sgd implements Optimizer {
  private final Schedule momentum;
  private final Map<String, NDArray> velocity = new LinkedHashMap<>();

  /** State starts at zero and lives in {@code manager}. */
  public Sgd(Map<String, NDArray> parameters, NDManager manager, Schedule momentum) {
    this.momentum = momentum;
    parameters.forEach((name, w) -> velocity.put(name, manager.zeros(w.getShape())));
  }

  @Override
  public void step(
      Map<String, NDArray> parameters,
      Map<String, NDArray> gradients,
      double learningRate,
      long step) {
    float beta = (float) momentum.at(step);
    parameters.forEach(
        (name, w) -> {
          NDArray v = velocity.get(name);
          v.muli(beta).addi(gradients.get(name));
          try (NDArray change = v.mul((float) learningRate)) {
            w.subi(change);
          }
        });
  }

  @Override
  public Map<String, NDArray> state() {
    Map<String, NDArray> state = new LinkedHashMap<>();
    velocity.forEach((name, v) -> state.put("velocity." + name, v));
    return state;
  }
}
