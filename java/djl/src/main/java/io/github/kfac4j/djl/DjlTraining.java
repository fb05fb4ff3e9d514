package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.Trainer;
import ai.djl.training.listener.TrainingListenerAdapter;
import ai.djl.training.optimizer.Optimizer;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.trainer.OptimizerReport;
import io.github.kfac4j.trainer.UpdateRule;
import java.util.Optional;

/**
 * {@link DjlOptimizer} for {@code EasyTrain}: a listener that updates the parameters after each
 * backward pass, and an optimizer for the trainer that leaves them alone.
 *
 * <pre>{@code
 * DjlTraining training = new DjlTraining(kfac, rule, OutputLoss.SOFTMAX);
 * config.optOptimizer(training.placeholder()).addTrainingListeners(training);
 * EasyTrain.fit(trainer, 10, data, null);
 * }</pre>
 *
 * <p>{@link DjlKfac} itself is not a listener then.
 */
public final class DjlTraining extends TrainingListenerAdapter {
  private final DjlKfac kfac;
  private final UpdateRule rule;
  private final OutputLoss distribution;
  private final Placeholder placeholder = new Placeholder();
  private DjlOptimizer optimizer;
  private OptimizerReport lastReport;

  /**
   * Listens to a training that has not begun.
   *
   * @param kfac attached to the trainer's model
   * @param rule settings; its damping takes the place of K-FAC's
   * @param distribution the training loss, a mean over the batch, as a distribution
   */
  public DjlTraining(DjlKfac kfac, UpdateRule rule, OutputLoss distribution) {
    this.kfac = kfac;
    this.rule = rule;
    this.distribution = distribution;
  }

  /** What the trainer must have for an optimizer. */
  public Optimizer placeholder() {
    return placeholder;
  }

  /**
   * The update rule, for its state.
   *
   * @throws IllegalStateException if the training has not begun or the model is not initialized
   */
  public DjlOptimizer optimizer() {
    if (optimizer == null) {
      throw new IllegalStateException("there is no update rule before the first batch");
    }
    return optimizer;
  }

  /** What the last step did; empty before the first one. */
  public Optional<OptimizerReport> lastReport() {
    return Optional.ofNullable(lastReport);
  }

  @Override
  public void onTrainingBegin(Trainer trainer) {
    kfac.onTrainingBegin(trainer);
  }

  @Override
  public void onTrainingBatch(Trainer trainer, BatchData batchData) {
    if (lastReport != null && !placeholder.asked) {
      throw new IllegalStateException(
          "the trainer has an optimizer of its own, which would step once more: give it"
              + " placeholder() with config.optOptimizer()");
    }
    if (optimizer == null) {
      optimizer = new DjlOptimizer(kfac, rule, trainer.getLoss(), distribution);
    }
    placeholder.asked = false;
    // the trainer wants to see gradients in its step, after which the placeholder clears them
    lastReport =
        optimizer.step(batchData.getBatch().getData(), batchData.getBatch().getLabels(), false);
  }

  /** Takes no step, only clears the gradients. */
  private static final class Placeholder extends Optimizer {
    private boolean asked;

    Placeholder() {
      super(new Builder());
    }

    @Override
    public void update(String parameterId, NDArray weight, NDArray grad) {
      asked = true;
      JniUtils.zeroGrad((PtNDArray) weight); // the gradient that is given is a copy
    }

    private static final class Builder extends OptimizerBuilder<Builder> {
      @Override
      protected Builder self() {
        return this;
      }
    }
  }
}
