package io.github.kfac4j.experiments.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.training.loss.Loss;
import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.Recipe;

/** What a network is trained for: its targets, its loss and what counts as correct. */
public enum Task {
  /** Labels by softmax cross entropy. */
  CLASSIFICATION(new CrossEntropy()),
  /** The next token of every token, by softmax cross entropy, a mean over all. */
  LANGUAGE(new CrossEntropy()),
  /** The image itself by sigmoid cross entropy, summed over its pixels. */
  RECONSTRUCTION(new PixelLoss());

  private final Loss loss;

  Task(Loss loss) {
    this.loss = loss;
  }

  static Task of(ModelName model) {
    if (model.text().isPresent()) {
      return LANGUAGE;
    }
    return model.classifies() ? CLASSIFICATION : RECONSTRUCTION;
  }

  /** A mean over the batch, of which validation knows. */
  public Loss loss() {
    return loss;
  }

  /** A mean over the batch, to be trained on. */
  public Loss loss(Recipe recipe) {
    return recipe.labelSmoothing() == 0 ? loss : new SmoothedLoss(recipe.labelSmoothing());
  }

  /** The images as the network wants them. */
  public BatchReader reader(BatchReader standardised) {
    return this == RECONSTRUCTION ? standardised.asBrightness() : standardised;
  }

  /** The shape of the labels for inputs of a shape. */
  Shape labelled(Shape inputs) {
    return this == LANGUAGE ? inputs : inputs.slice(0, 1);
  }

  /** How many predictions a batch with such targets has. */
  int predictions(NDArray targets) {
    Shape shape = targets.getShape();
    return Math.toIntExact(this == LANGUAGE ? shape.size() : shape.get(0));
  }

  NDList targets(NDArray images, NDArray labels) {
    return new NDList(
        this == RECONSTRUCTION ? images.reshape(images.getShape().get(0), -1) : labels);
  }

  /** Right predictions; NaN where that has no meaning. */
  double correct(NDArray outputs, NDArray targets) {
    if (this == RECONSTRUCTION) {
      return Double.NaN;
    }
    NDArray classes = targets.toType(DataType.INT64, false);
    return outputs.argMax(-1).eq(classes).sum().toLongArray()[0];
  }

  /** A mean over all rows of logits; DJL's own knows a single dimension of them. */
  private static final class CrossEntropy extends Loss {
    private final Loss rows = Loss.softmaxCrossEntropyLoss();

    CrossEntropy() {
      super("CrossEntropy");
    }

    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
      NDArray logits = predictions.singletonOrThrow();
      NDArray flat = logits.reshape(-1, logits.getShape().getLastDimension());
      return rows.evaluate(new NDList(labels.singletonOrThrow().flatten()), new NDList(flat));
    }
  }

  /** {@code max(z, 0) - z y + log(1 + exp(-|z|))}, the sigmoid cross entropy without overflow. */
  private static final class PixelLoss extends Loss {
    PixelLoss() {
      super("PixelLoss");
    }

    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
      NDArray z = predictions.singletonOrThrow();
      NDArray y = labels.singletonOrThrow();
      NDArray softplus = z.abs().neg().exp().add(1).log();
      return Activation.relu(z).sub(z.mul(y)).add(softplus).sum(new int[] {1}).mean();
    }
  }

  /**
   * Softmax cross entropy with the targets {@code (1 - e) onehot(y) + e / classes} (Szegedy et al.,
   * 2016).
   */
  private static final class SmoothedLoss extends Loss {
    private final float spread;
    private final Loss hard = new CrossEntropy();

    SmoothedLoss(double spread) {
      super("SmoothedLoss");
      this.spread = (float) spread;
    }

    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
      NDArray uniform = predictions.singletonOrThrow().logSoftmax(-1).mean().neg();
      return Scaled.times(hard.evaluate(labels, predictions), 1 - spread)
          .add(Scaled.times(uniform, spread));
    }
  }
}
