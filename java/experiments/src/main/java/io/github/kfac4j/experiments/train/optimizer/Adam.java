package io.github.kfac4j.experiments.train.optimizer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Adam (Kingma and Ba, 2015, algorithm 1): m and v are decayed means of g and g^2, and w = w -
 * learningRate mHat / (sqrt(vHat) + epsilon), where the hats divide by 1 - beta^t.
 */
public final class Adam implements Optimizer {
  private static final float BETA1 = 0.9f;
  private static final float BETA2 = 0.999f;
  private static final float EPSILON = 1e-8f;

  private final Map<String, NDArray> mean = new LinkedHashMap<>();
  private final Map<String, NDArray> square = new LinkedHashMap<>();

  /** State starts at zero and lives in {@code manager}. */
  public Adam(Map<String, NDArray> parameters, NDManager manager) {
    parameters.forEach(
        (name, w) -> {
          mean.put(name, manager.zeros(w.getShape()));
          square.put(name, manager.zeros(w.getShape()));
        });
  }

  @Override
  public void step(
      Map<String, NDArray> parameters,
      Map<String, NDArray> gradients,
      double learningRate,
      long step) {
    long t = step + 1;
    float rate = (float) (learningRate / (1 - Math.pow(BETA1, t)));
    float scale = (float) (1 / Math.sqrt(1 - Math.pow(BETA2, t)));
    parameters.forEach(
        (name, w) -> {
          NDArray g = gradients.get(name);
          NDArray m = mean.get(name);
          NDArray v = square.get(name);
          try (NDArray fresh = g.mul(1 - BETA1);
              NDArray freshSquare = g.square()) {
            m.muli(BETA1).addi(fresh);
            v.muli(BETA2).addi(freshSquare.muli(1 - BETA2));
          }
          try (NDArray denominator = v.sqrt();
              NDArray change = m.mul(rate)) {
            w.subi(change.divi(denominator.muli(scale).addi(EPSILON)));
          }
        });
  }

  @Override
  public Map<String, NDArray> state() {
    Map<String, NDArray> state = new LinkedHashMap<>();
    mean.forEach((name, m) -> state.put("mean." + name, m));
    square.forEach((name, v) -> state.put("square." + name, v));
    return state;
  }
}
