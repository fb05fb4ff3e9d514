package io.github.kfac4j.djl;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.nn.ParameterList;
import ai.djl.training.Trainer;
import ai.djl.training.listener.TrainingListenerAdapter;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacOptions;
import io.github.kfac4j.KfacVerbs;
import io.github.kfac4j.LayerReport;
import io.github.kfac4j.LayerReport.GroupReport;
import io.github.kfac4j.StepReport;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Layer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * K-FAC in a DJL training program: preconditions the gradients of every {@code Linear}, {@code
 * Conv1d}, {@code Conv2d}, {@code TrainableWordEmbedding}, {@code BatchNorm} and {@code LayerNorm}
 * (scale and shift) in a model, between the backward pass and the optimizer's step. All other
 * parameters are trained by the optimizer as before; they are named in one line of the log, as are
 * inversions that needed a remedy. Transposed convolutions do not run on DJL's PyTorch engine.
 *
 * <p>With {@code EasyTrain} it is a training listener, in a hand-written loop one call of {@link
 * #precondition}; the package description shows both.
 *
 * <p>The loss must be a mean over the batch, as all of DJL's are; the batch is the first dimension
 * of the model's first input. Several backward passes before one step add up as they do without
 * K-FAC, and the factors see the last of them, unless {@link #setMicroBatches} makes a mean of all.
 *
 * <p>Attaching puts taps in the place of the layers, in the model's blocks; names, parameters and
 * saved files stay the same, and {@link #close} puts the layers back. Passes that do not train cost
 * nothing. Works on DJL's PyTorch engine and one device; arrays on a GPU are copied to the host.
 * Not thread-safe.
 */
public final class DjlKfac extends TrainingListenerAdapter implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(DjlKfac.class.getName());

  private final Model model;
  private final Backend ownBackend;
  private final Attachment attachment;
  private StepReport lastReport;
  private StepTimes lastTimes;

  private DjlKfac(
      Model model, KfacOptions options, Fisher fisher, Factory factory, Backend ownBackend) {
    this.model = model;
    this.ownBackend = ownBackend;
    this.attachment = new Attachment(model, options, fisher, factory);
  }

  /**
   * Attaches K-FAC with the empirical Fisher and the fastest backend there is.
   *
   * @throws IllegalArgumentException if the model is not of the PyTorch engine or holds no layer
   *     that K-FAC knows
   * @throws IllegalStateException if a block that holds layers is closed to reflection
   */
  public static DjlKfac attach(Model model, KfacOptions options) {
    Backend backend = Backends.best();
    Factory factory = (layers, settings) -> new Kfac(backend, layers, settings);
    try {
      return new DjlKfac(model, options, Fisher.EMPIRICAL, factory, backend);
    } catch (IllegalArgumentException | IllegalStateException e) {
      backend.close();
      throw e;
    }
  }

  /**
   * Attaches K-FAC, with a choice of the Fisher and the backend.
   *
   * @param backend stays the caller's to close
   * @throws IllegalArgumentException as {@link #attach(Model, KfacOptions)}
   * @throws IllegalStateException likewise
   */
  public static DjlKfac attach(Model model, KfacOptions options, Fisher fisher, Backend backend) {
    return attach(
        model, options, fisher, (layers, settings) -> new Kfac(backend, layers, settings));
  }

  /** Makes the K-FAC that is attached. */
  @FunctionalInterface
  public interface Factory {
    /**
     * Makes it; it is closed with the attachment.
     *
     * @param layers of the model by name, as far as the convention has them. The map may be
     *     changed: a layer that is removed is left to the optimizer, and one may be described by
     *     what its block does not tell, as the {@code FlattenedDense} behind a feature map, with
     *     {@code WeightSharing.REDUCE}, or as a {@code ScaleShift} with a full block.
     */
    KfacVerbs create(Map<String, Layer> layers, KfacOptions options);
  }

  /**
   * Attaches K-FAC of the caller's making, for example one that is shared by many processes, or
   * that knows more of the layers than their blocks tell.
   *
   * @throws IllegalArgumentException as {@link #attach(Model, KfacOptions)}
   * @throws IllegalStateException likewise
   */
  public static DjlKfac attach(Model model, KfacOptions options, Fisher fisher, Factory factory) {
    return new DjlKfac(model, options, fisher, factory, null);
  }

  /**
   * The K-FAC that is attached, for its options and its state.
   *
   * @throws IllegalStateException if the model has not been initialized, so that its layers have no
   *     shapes yet, or K-FAC is of the caller's making and of another kind
   */
  public Kfac kfac() {
    if (verbs() instanceof Kfac own) {
      return own;
    }
    throw new IllegalStateException("the attached K-FAC is of another kind: use verbs()");
  }

  /**
   * The K-FAC that is attached, of whatever kind.
   *
   * @throws IllegalStateException if the model has not been initialized, so that its layers have no
   *     shapes yet
   */
  public KfacVerbs verbs() {
    return attachment.verbs();
  }

  /**
   * Makes each step of several micro-batches of one size: {@link #precondition} wants as many
   * passes, takes the mean of their statistics and divides the gradients of all parameters, which
   * have added up, by the number.
   *
   * @throws IllegalArgumentException if the count is not positive
   */
  public void setMicroBatches(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("micro-batches must be positive but are " + count);
    }
    attachment.setMicroBatches(count);
  }

  /** Names of the layers that K-FAC preconditions. */
  public List<String> layers() {
    return attachment.taps().names();
  }

  /** Other blocks with trainable parameters, by name and type: {@code 02BatchNorm (BatchNorm)}. */
  public List<String> unsupportedLayers() {
    return attachment.taps().others();
  }

  /**
   * Preconditions the gradients in place; call it after the backward pass and before {@link
   * Trainer#step()}.
   *
   * @throws IllegalStateException if there was no forward or no backward pass since the last call,
   *     or a layer is out of K-FAC's reach
   * @throws IllegalArgumentException naming the layer, if its input or a gradient is NaN or
   *     infinite; gradients and state are unchanged then
   */
  public StepReport precondition() {
    Step current = step();
    try {
      current.prepare();
      report(current.precondition(false, true), current.times());
      return lastReport;
    } finally {
      current.close();
    }
  }

  /** The step whose passes have been run. */
  Step step() {
    return attachment.step();
  }

  void report(StepReport report, StepTimes times) {
    lastReport = report;
    lastTimes = times;
    remedies(report).forEach(line -> LOG.log(System.Logger.Level.WARNING, line));
  }

  /** A line for each layer whose inversion was not plainly ok. */
  static List<String> remedies(StepReport report) {
    List<String> lines = new ArrayList<>();
    for (LayerReport layer : report.refreshed()) {
      layer.perGroup().stream()
          .map(GroupReport::status)
          .filter(status -> !status.equals("ok"))
          .distinct()
          .map(
              status ->
                  "K-FAC step %d, layer %s: ".formatted(report.step(), layer.layer()) + status)
          .forEach(lines::add);
    }
    return lines;
  }

  /** The parameters of the model, by name. */
  ParameterList parameters() {
    return attachment.taps().parameters();
  }

  /** The model's outputs without training. */
  NDList evaluate(Pass pass, NDList inputs) {
    return attachment.taps().evaluate(pass.store(), inputs);
  }

  /** What the last step did; null before the first one. */
  public StepReport lastReport() {
    return lastReport;
  }

  /** What the last step cost; null before the first one. */
  public StepTimes lastTimes() {
    return lastTimes;
  }

  @Override
  public void onTrainingBegin(Trainer trainer) {
    if (trainer.getModel() != model) {
      throw new IllegalArgumentException("K-FAC is attached to another model than the trainer's");
    }
    if (trainer.getDevices().length > 1) {
      throw new IllegalArgumentException(
          "K-FAC works on one device, but the trainer has " + trainer.getDevices().length);
    }
  }

  @Override
  public void onTrainingBatch(Trainer trainer, BatchData batchData) {
    precondition();
  }

  /** Takes the taps out of the model, which can be used on, and frees the state; idempotent. */
  @Override
  public void close() {
    attachment.close();
    if (ownBackend != null) {
      ownBackend.close();
    }
  }
}
