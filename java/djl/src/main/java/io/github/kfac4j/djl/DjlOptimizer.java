package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.training.loss.Loss;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.trainer.BatchFunction;
import io.github.kfac4j.trainer.FiniteDifferences;
import io.github.kfac4j.trainer.KfacOptimizer;
import io.github.kfac4j.trainer.OptimizerReport;
import io.github.kfac4j.trainer.TrainingStep;
import io.github.kfac4j.trainer.UpdateRule;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * K-FAC's own update rule for all parameters of a model, in place of {@link DjlKfac#precondition}
 * and the trainer's step:
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
 * <p>In the burn-in nothing moves and the rule's steps are not counted. A parameter that is
 * unfrozen later is updated from then on, with an empty memory; one that is frozen is left alone.
 *
 * <p>DJL has no Jacobian-vector products; where a rule needs them they are finite differences, two
 * forward passes each, without training ({@link FiniteDifferences}). Parameters must lie in host
 * memory.
 */
public final class DjlOptimizer {
  private final DjlKfac kfac;
  private final Loss loss;
  private final OutputLoss distribution;
  private final UpdateRule rule;
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<String, HostTensor> weights = new LinkedHashMap<>();
  private KfacOptimizer optimizer;

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
    this.rule = rule;
    kfac.kfac();
    update();
  }

  /** Reads which parameters are trained; the memory of those that stay is kept. */
  private void update() {
    Map<String, Parameter> trained = new LinkedHashMap<>();
    kfac.parameters()
        .forEach(
            (name, parameter) -> {
              if (parameter.requiresGradient()) {
                trained.put(name, parameter);
              }
            });
    if (optimizer != null && trained.equals(parameters)) {
      return;
    }
    Map<String, HostTensor> views = new LinkedHashMap<>();
    trained.forEach((name, parameter) -> views.put(name, view(name, parameter.getArray())));
    KfacOptimizer next = new KfacOptimizer(views, rule);
    if (optimizer != null) {
      Map<String, StoredTensor> memory = next.toTensors();
      optimizer.toTensors().forEach((name, tensor) -> memory.replace(name, tensor));
      next.restore(memory);
    }
    optimizer = next;
    parameters.clear();
    parameters.putAll(trained);
    weights.clear();
    weights.putAll(views);
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
    update();
    step.endPasses();
    try {
      OptimizerReport report =
          step.neutral().burningIn()
              ? burnIn(step.neutral())
              : update(step.neutral(), data, labels);
      if (clear) {
        step.clear();
      }
      return report;
    } finally {
      step.close();
    }
  }

  private OptimizerReport update(TrainingStep<Pass> step, NDList data, NDList labels) {
    Pass pass = step.pass();
    Map<String, HostTensor> gradients = new LinkedHashMap<>();
    parameters.forEach((name, parameter) -> gradients.put(name, gradient(pass, name, parameter)));
    return optimizer.step(gradients, step.preconditioner(), batch(pass, data, labels));
  }

  /** A step for statistics alone: the rule is not asked, so that nothing moves. */
  private OptimizerReport burnIn(TrainingStep<Pass> step) {
    step.precondition();
    double damping = step.options().damping();
    return new OptimizerReport(optimizer.steps(), 0, 0, damping, damping, Double.NaN, Double.NaN);
  }

  /** Zeros for a parameter that no backward pass has reached yet, as for DJL's optimizers. */
  private HostTensor gradient(Pass pass, String name, Parameter parameter) {
    NDArray gradient = pass.gradient(parameter);
    return gradient == null
        ? HostTensor.like(weights.get(name), extents(weights.get(name)))
        : view(name, gradient);
  }

  private static int[] extents(HostTensor tensor) {
    int[] extents = new int[tensor.shape().rank()];
    Arrays.setAll(extents, tensor.shape()::get);
    return extents;
  }

  private BatchFunction batch(Pass pass, NDList data, NDList labels) {
    return new FiniteDifferences(
        weights,
        () -> {
          try (NDManager scope = pass.manager().newSubManager()) {
            NDArray output = forward(pass, data, scope).singletonOrThrow();
            HostTensor values = new HostArray("output", "value", output).tensor();
            return HostTensor.of(values.toArray(), extents(values));
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
