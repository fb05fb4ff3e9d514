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
  private final float beta1;
  private final float beta2;
  private final float epsilon;
  private final Map<String, NDArray> mean = new LinkedHashMap<>();
  private final Map<String, NDArray> square = new LinkedHashMap<>();

  /** State starts at zero and lives in {@code manager}. */
  public Adam(
      double beta1,
      double beta2,
      double epsilon,
      Map<String, NDArray> parameters,
      NDManager manager) {
    this.beta1 = (float) beta1;
    this.beta2 = (float) beta2;
    this.epsilon = (float) epsilon;
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
    float rate = (float) (learningRate / (1 - Math.pow(beta1, t)));
    float scale = (float) (1 / Math.sqrt(1 - Math.pow(beta2, t)));
    parameters.forEach(
        (name, w) -> {
          NDArray g = gradients.get(name);
          NDArray m = mean.get(name);
          NDArray v = square.get(name);
          try (NDArray fresh = g.mul(1 - beta1);
              NDArray freshSquare = g.square()) {
            m.muli(beta1).addi(fresh);
            v.muli(beta2).addi(freshSquare.muli(1 - beta2));
          }
          try (NDArray denominator = v.sqrt();
              NDArray change = m.mul(rate)) {
            w.subi(change.divi(denominator.muli(scale).addi(epsilon)));
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
