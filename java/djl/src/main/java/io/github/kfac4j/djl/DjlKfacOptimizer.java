package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.training.Trainer;
import ai.djl.training.listener.TrainingListenerAdapter;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
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
import java.util.Objects;
import java.util.Optional;

/**
 * K-FAC with its own update rule for all parameters of a model, where the program's optimizer is
 * not to take the steps: it sees weights, gradients and loss together. In a hand-written loop it
 * takes the place of {@link DjlKfac#precondition} and the trainer's step:
 *
 * <pre>{@code
 * UpdateRule rule = UpdateRule.of(learningRate, 0.9, damping);
 * DjlKfacOptimizer optimizer = new DjlKfacOptimizer(kfac, rule, loss, OutputLoss.SOFTMAX);
 * // each step, after the backward pass:
 * optimizer.step(batch.getData(), batch.getLabels());
 * }</pre>
 *
 * <p>With {@code EasyTrain} it is a listener instead of {@link DjlKfac}, and the trainer has an
 * optimizer that leaves the parameters alone:
 *
 * <pre>{@code
 * config.optOptimizer(optimizer.placeholder()).addTrainingListeners(optimizer);
 * EasyTrain.fit(trainer, 10, data, null);
 * }</pre>
 *
 * <p>In the burn-in nothing moves and the rule's steps are not counted. A parameter that is
 * unfrozen later is updated from then on, with an empty memory; one that is frozen is left alone.
 *
 * <p>DJL has no Jacobian-vector products; where a rule needs them they are finite differences, two
 * forward passes each, without training ({@link FiniteDifferences}). Parameters must lie in host
 * memory.
 */
public final class DjlKfacOptimizer extends TrainingListenerAdapter {
  private final DjlKfac kfac;
  private final Loss loss;
  private final OutputLoss distribution;
  private final UpdateRule rule;
  private final Placeholder placeholder = new Placeholder();
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<String, HostTensor> weights = new LinkedHashMap<>();
  private KfacOptimizer optimizer;
  private OptimizerReport lastReport;

  /** Whether the trainer has to ask the placeholder before the next batch. */
  private boolean awaited;

  /**
   * Starts with an empty memory.
   *
   * @param kfac attached to the trainer's model
   * @param rule settings; its damping takes the place of K-FAC's
   * @param loss the training loss, a mean over the batch
   * @param distribution the same loss as a distribution
   */
  public DjlKfacOptimizer(DjlKfac kfac, UpdateRule rule, Loss loss, OutputLoss distribution) {
    this.kfac = Objects.requireNonNull(kfac, "kfac");
    this.rule = Objects.requireNonNull(rule, "rule");
    this.loss = Objects.requireNonNull(loss, "loss");
    this.distribution = Objects.requireNonNull(distribution, "distribution");
  }

  /** With {@code EasyTrain}, what the trainer must have for an optimizer. */
  public Optimizer placeholder() {
    return placeholder;
  }

  /** The optimizer of the parameters that are trained now. */
  private KfacOptimizer current() {
    kfac.kfac(); // refuses a model without shapes
    update();
    return optimizer;
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
   * @throws IllegalStateException as {@link DjlKfac#precondition}, or if a parameter is not in host
   *     memory
   * @throws IllegalArgumentException as {@link DjlKfac#precondition}
   */
  public OptimizerReport step(NDList data, NDList labels) {
    return step(data, labels, true);
  }

  /**
   * Updates the parameters.
   *
   * @param clear whether their gradients become zeros
   */
  private OptimizerReport step(NDList data, NDList labels, boolean clear) {
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
      lastReport = report;
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

  /** What the last step did; empty before the first one. */
  public Optional<OptimizerReport> lastReport() {
    return Optional.ofNullable(lastReport);
  }

  @Override
  public void onTrainingBegin(Trainer trainer) {
    kfac.onTrainingBegin(trainer);
  }

  /** Updates the parameters; if K-FAC is closed it does nothing, and they stay as they are. */
  @Override
  public void onTrainingBatch(Trainer trainer, BatchData batchData) {
    if (kfac.isClosed()) {
      return;
    }
    if (!placeholder.asked() && awaited) {
      throw new IllegalStateException(
          "the trainer has an optimizer of its own, which would step once more: give it"
              + " placeholder() with config.optOptimizer()");
    }
    awaited = false; // after a batch that fails the trainer takes no step
    // the trainer wants to see gradients in its step, after which the placeholder clears them
    step(batchData.getBatch().getData(), batchData.getBatch().getLabels(), false);
    awaited = true;
  }

  /** Steps so far. */
  public long steps() {
    return optimizer == null ? 0 : optimizer.steps();
  }

  /**
   * A copy of what the update rule remembers; K-FAC's own state is apart.
   *
   * @throws IllegalStateException if the model has not been initialized
   */
  public Map<String, StoredTensor> toTensors() {
    return current().toTensors();
  }

  /**
   * Replaces what the update rule remembers by what {@link #toTensors} gave.
   *
   * @throws IllegalArgumentException naming the first tensor that is missing or does not fit
   * @throws IllegalStateException if the model has not been initialized
   */
  public void restore(Map<String, StoredTensor> tensors) {
    current().restore(tensors);
  }

  /**
   * Views of the parameters in training, by name, for example for their average.
   *
   * @throws IllegalStateException if the model has not been initialized
   */
  public Map<String, HostTensor> weights() {
    current();
    return Map.copyOf(weights);
  }
}
