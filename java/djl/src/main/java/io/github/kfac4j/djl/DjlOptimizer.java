package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.training.loss.Loss;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.step.BatchFunction;
import io.github.kfac4j.step.FiniteDifferences;
import io.github.kfac4j.step.KfacOptimizer;
import io.github.kfac4j.step.OptimizerReport;
import io.github.kfac4j.step.Preconditioner;
import io.github.kfac4j.step.Rates;
import io.github.kfac4j.step.UpdateRule;
import io.github.kfac4j.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * K-FAC's own update rule for all parameters of a model, in the place of {@link
 * DjlKfac#precondition} and the trainer's step:
 *
 * <pre>{@code
 * UpdateRule rule = UpdateRule.of(learningRate, 0.9, damping);
 * DjlOptimizer optimizer = new DjlOptimizer(kfac, rule, trainer.getLoss(), OutputLoss.SOFTMAX);
 * // each step, after the backward pass:
 * optimizer.step(batch.getData(), batch.getLabels());
 * }</pre>
 *
 * <p>With {@code EasyTrain} it is {@link DjlTraining}.
 *
 * <p>DJL has no Jacobian-vector products; where a rule needs them they are finite differences, two
 * forward passes each, without training ({@link FiniteDifferences}). Parameters must lie in host
 * memory.
 */
public final class DjlOptimizer {
  private final DjlKfac kfac;
  private final Loss loss;
  private final OutputLoss distribution;
  private final boolean plainGradients;
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<String, HostTensor> weights = new LinkedHashMap<>();
  private final KfacOptimizer optimizer;

  /**
   * Starts with an empty memory.
   *
   * @param kfac attached to a model that has been initialized
   * @param rule settings; its damping takes the place of K-FAC's
   * @param loss the training loss, a mean over the batch
   * @param distribution the same loss as a distribution
   * @throws IllegalStateException if the model has not been initialized, or is not in host memory
   */
  public DjlOptimizer(DjlKfac kfac, UpdateRule rule, Loss loss, OutputLoss distribution) {
    this.kfac = kfac;
    this.loss = loss;
    this.distribution = distribution;
    kfac.verbs();
    kfac.parameters()
        .forEach(
            entry -> {
              Parameter parameter = entry.getValue();
              if (parameter.requiresGradient()) {
                parameters.put(entry.getKey(), parameter);
                weights.put(entry.getKey(), view(entry.getKey(), parameter.getArray()));
              }
            });
    this.optimizer = new KfacOptimizer(weights, rule);
    this.plainGradients =
        rule.weightDecay().l2() == 0
            && !(rule.rates() instanceof Rates.Scheduled rates
                && rates.order() == Rates.Order.MOMENTUM_FIRST);
  }

  private static HostTensor view(String name, NDArray array) {
    HostArray host = new HostArray(name, "parameter", array);
    if (host.isCopy()) {
      throw new IllegalStateException(
          "parameter '%s' lies on %s: K-FAC's own update rule works on arrays in host memory; use DjlKfac.precondition() and the trainer's optimizer"
              .formatted(name, array.getDevice()));
    }
    return host.tensor();
  }

  /**
   * Updates the parameters and clears their gradients; call it after the backward pass.
   *
   * @param data the model's inputs of this step, asked only by rules that measure the loss
   * @param labels likewise
   * @throws IllegalStateException as {@link DjlKfac#precondition}
   * @throws IllegalArgumentException likewise
   */
  public OptimizerReport step(NDList data, NDList labels) {
    return step(data, labels, true);
  }

  /**
   * Updates the parameters.
   *
   * @param clear whether their gradients become zeros
   */
  OptimizerReport step(NDList data, NDList labels, boolean clear) {
    Step step = kfac.step();
    try {
      step.prepare();
      Pass pass = step.pass();
      Map<String, HostTensor> gradients = new LinkedHashMap<>();
      parameters.forEach((name, parameter) -> gradients.put(name, gradient(pass, name, parameter)));
      OptimizerReport report =
          optimizer.step(gradients, preconditioner(step), batch(pass, data, labels));
      if (clear) {
        parameters.values().forEach(parameter -> pass.gradient(parameter).muli(0));
      }
      return report;
    } finally {
      step.close();
    }
  }

  private static HostTensor gradient(Pass pass, String name, Parameter parameter) {
    NDArray gradient = pass.gradient(parameter);
    if (gradient == null) {
      throw new IllegalStateException(
          "parameter '%s' has no gradient: run the backward pass, or freeze it".formatted(name));
    }
    return view(name, gradient);
  }

  private Preconditioner preconditioner(Step step) {
    return new Preconditioner() {
      @Override
      public void precondition(double damping, double learningRate, boolean refresh) {
        step.reconfigure(damping, learningRate);
        kfac.report(step.precondition(refresh, plainGradients), step.times());
      }

      @Override
      public void preview(double damping) {
        step.reconfigure(damping, 0);
        step.preview(plainGradients);
      }
    };
  }

  private BatchFunction batch(Pass pass, NDList data, NDList labels) {
    return new FiniteDifferences(
        weights,
        () -> {
          try (NDManager scope = pass.manager().newSubManager()) {
            NDArray output = forward(pass, data, scope).singletonOrThrow();
            HostTensor values = new HostArray("output", "value", output).tensor();
            int[] shape = new int[values.shape().rank()];
            for (int i = 0; i < shape.length; i++) {
              shape[i] = values.shape().get(i);
            }
            return HostTensor.of(values.toArray(), shape);
          }
        },
        () -> {
          try (NDManager scope = pass.manager().newSubManager()) {
            NDArray value = loss.evaluate(labels, forward(pass, data, scope));
            value.attach(scope);
            return value.toType(DataType.FLOAT64, false).getDouble();
          }
        },
        distribution);
  }

  private NDList forward(Pass pass, NDList data, NDManager scope) {
    NDList inputs = new NDList();
    for (NDArray array : data) {
      NDArray view = array.stopGradient();
      view.attach(scope); // what is computed from it is freed with it
      inputs.add(view);
    }
    return kfac.evaluate(pass, inputs);
  }

  /** Steps so far. */
  public long steps() {
    return optimizer.steps();
  }

  /** A copy of what the update rule remembers; K-FAC's own state is apart. */
  public Map<String, StoredTensor> toTensors() {
    return optimizer.toTensors();
  }

  /**
   * Replaces what the update rule remembers by what {@link #toTensors} gave.
   *
   * @throws IllegalArgumentException naming the first tensor that is missing or does not fit
   */
  public void restore(Map<String, StoredTensor> tensors) {
    optimizer.restore(tensors);
  }

  /** Views of the parameters in training, by name, for example for their average. */
  public Map<String, HostTensor> weights() {
    return Map.copyOf(weights);
  }
}
