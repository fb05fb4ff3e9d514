package io.github.kfac4j.djl;

import ai.djl.Model;
import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.Trainer;
import ai.djl.training.listener.TrainingListenerAdapter;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.KfacFactory;
import io.github.kfac4j.trainer.StepTimes;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * K-FAC in a DJL training program: preconditions the gradients of every {@code Linear}, {@code
 * Conv1d}, {@code Conv2d}, {@code TrainableWordEmbedding}, {@link TiedEmbedding}, {@code BatchNorm}
 * and {@code LayerNorm} (scale and shift) in a model, between the backward pass and the optimizer's
 * step. All other parameters are trained by the optimizer as before; they are named in one line of
 * the log, as are inversions that needed a fallback. Transposed convolutions do not run on DJL's
 * PyTorch engine.
 *
 * <p>With {@code EasyTrain} it is a training listener, in a hand-written loop one call of {@link
 * #precondition}; the package description shows both.
 *
 * <p>The loss must be a mean over the batch, as all of DJL's are; the number of examples N is the
 * first dimension of the model's first input, for all layers alike: a {@code Linear} may see {@code
 * [N, T, D]}, {@code [T, N, D]} or {@code [N T, D]}, whose T positions share its weight. Rows that
 * N does not divide are refused. Where rows must be known by their example ({@code EKFAC}, {@code
 * DIAGONAL}, normalisations, {@code maxExamples}) so is the last form; see {@link
 * io.github.kfac4j.data.Observation}. Several backward passes before one step add up as they do
 * without K-FAC, and the factors see the last of them, unless {@link #setMicroBatches} makes a mean
 * of all.
 *
 * <p>Which parameters are trained is read before every step. What is unfrozen later joins, with the
 * next inverses; what is frozen waits.
 *
 * <p>Attaching puts taps in place of the layers, in the model's blocks; names, parameters and saved
 * files stay the same, and {@link #close} puts the layers back. Passes that do not train cost
 * nothing. Works on DJL's PyTorch engine and one device. Arrays on a GPU are taken where they are
 * if the backend is {@code kfac-cuda}'s; row numbers of embeddings, normalisations, and rows that
 * must be cut or sorted by example go through the host. Not thread-safe.
 */
public final class DjlKfac extends TrainingListenerAdapter implements AutoCloseable {
  private final Model model;
  private final Backend ownBackend;
  private final Attachment attachment;
  private boolean closed;

  private DjlKfac(
      Model model,
      KfacOptions options,
      Fisher fisher,
      KfacFactory factory,
      Placement placement,
      Backend ownBackend,
      String... leftOut) {
    this.model = model;
    this.ownBackend = ownBackend;
    this.attachment = new Attachment(model, options, fisher, factory, placement, Set.of(leftOut));
  }

  /**
   * Attaches K-FAC with the empirical Fisher and the fastest backend that works: for a model on a
   * GPU that of {@code kfac-cuda}, on the engine's stream.
   *
   * <p>If the model is initialized its layers are made known to K-FAC now, else in {@code
   * trainer.initialize(shape)}: that is where a layer that is too large for its approximation is
   * refused. Leave it out, or give it another approximation with {@link
   * KfacOptions#withApproximation(String, io.github.kfac4j.options.Approximation)}.
   *
   * @param leftOut names of layers that the optimizer alone is to train
   * @throws IllegalArgumentException if the model is not of the PyTorch engine, holds no layer that
   *     K-FAC knows, or none of the name of one to be left out, or if a layer is refused; the model
   *     is as it was then
   * @throws IllegalStateException if a block that holds layers is closed to reflection
   */
  public static DjlKfac attach(Model model, KfacOptions options, String... leftOut) {
    Backend backend = Devices.backend(model);
    KfacFactory factory = (layers, settings) -> new Kfac(backend, layers, settings);
    try {
      Placement placement = Placement.of(backend);
      return new DjlKfac(model, options, Fisher.EMPIRICAL, factory, placement, backend, leftOut);
    } catch (RuntimeException e) {
      backend.close();
      throw e;
    }
  }

  /**
   * Attaches K-FAC, with a choice of the Fisher and the backend.
   *
   * @param backend stays the caller's to close
   * @param leftOut names of layers that the optimizer alone is to train
   * @throws IllegalArgumentException as {@link #attach(Model, KfacOptions, String...)}
   * @throws IllegalStateException likewise
   */
  public static DjlKfac attach(
      Model model, KfacOptions options, Fisher fisher, Backend backend, String... leftOut) {
    return attach(model, options, fisher, backend, Placement.of(backend), leftOut);
  }

  /** Takes arrays where the placement says. */
  static DjlKfac attach(
      Model model,
      KfacOptions options,
      Fisher fisher,
      Backend backend,
      Placement placement,
      String... leftOut) {
    KfacFactory factory = (layers, settings) -> new Kfac(backend, layers, settings);
    return new DjlKfac(model, options, fisher, factory, placement, null, leftOut);
  }

  /**
   * A layer that K-FAC can listen to from wherever it is called: it does what the given one does,
   * with the same parameters and files. Attaching finds layers in the children, fields, arrays and
   * lists of other blocks by itself; this is for one in a lambda, in a map or in a final field of a
   * JVM that does not let that be written. It must be a child of a block all the same.
   *
   * <pre>{@code
   * private final Block fc = addChildBlock("fc", DjlKfac.reachable(linear));
   * }</pre>
   *
   * @throws IllegalArgumentException if K-FAC does not know the layer
   */
  public static Block reachable(Block layer) {
    if (!Layers.isSupported(layer)) {
      throw new IllegalArgumentException(
          "K-FAC has no layer for %s: %s".formatted(layer.getClass().getName(), Layers.KNOWN));
    }
    return Layers.tapped(layer);
  }

  /**
   * Attaches K-FAC of the caller's making, for example one that is shared by many processes, or
   * that knows more of the layers than their blocks tell. Arrays on a GPU go through the host.
   *
   * @throws IllegalArgumentException as {@link #attach(Model, KfacOptions, String...)}
   * @throws IllegalStateException likewise
   */
  public static DjlKfac attach(
      Model model, KfacOptions options, Fisher fisher, KfacFactory factory) {
    return new DjlKfac(model, options, fisher, factory, Placement.HOST, null);
  }

  /**
   * The K-FAC that is attached, of whatever kind, for its options and its state.
   *
   * @throws IllegalStateException if the model has not been initialized, so that its layers have no
   *     shapes yet
   */
  public KfacPreconditioner kfac() {
    return attachment.kfac();
  }

  /**
   * Makes each step of several micro-batches: {@link #precondition} wants as many passes, each with
   * the mean loss of its own examples, and makes statistics and the gradients of all parameters,
   * which have added up, the means over the examples of all. Called within a step, with as many as
   * there were, it ends an accumulation that is not complete.
   *
   * @throws IllegalArgumentException if the count is not positive or there were more passes
   */
  public void setMicroBatches(int count) {
    attachment.steps().setMicroBatches(count);
  }

  /**
   * The same for loops that divide each loss by the count before its backward pass: statistics are
   * those of the losses themselves, and gradients are left as they have added up.
   *
   * @throws IllegalArgumentException likewise
   */
  public void setDividedMicroBatches(int count) {
    attachment.steps().setDividedMicroBatches(count);
  }

  /**
   * Says that the loss of the passes to come is multiplied by a scale before {@code backward}, as
   * training in half precision does. The factors then see the gradients of the loss itself. The
   * parameters' gradients are never scaled here: divide them by the scale before {@link
   * #precondition}, as before any optimizer's step. (Divided after it they are the same, unless
   * there is a KL clip, whose bound is that of the gradients it sees.)
   *
   * @throws IllegalArgumentException if the scale is not positive and finite
   */
  public void setLossScale(double scale) {
    attachment.steps().setLossScale(scale);
  }

  /**
   * Drops the step that has begun, at whatever point: its passes, what K-FAC has observed of them,
   * and the gradients of all parameters, which become zeros even where they hold NaN. The next
   * steps are bit for bit those of a run without it, as far as the passes changed nothing in the
   * model itself, such as running means. Call it in place of {@link #precondition} and the
   * optimizer's step, for example for a batch that gave a NaN. Between steps it leaves K-FAC as it
   * is, but gradients that are still there become zeros.
   */
  public void discardStep() {
    if (!closed) {
      attachment.discardStep();
    }
  }

  /** Names of the layers that K-FAC preconditions, as far as they are trained now. */
  public List<String> layers() {
    return attachment.names();
  }

  /** Other blocks with trainable parameters, by name and type: {@code 02BatchNorm (BatchNorm)}. */
  public List<String> unsupportedLayers() {
    return attachment.others();
  }

  /**
   * Preconditions the gradients in place; call it after the backward pass and before {@link
   * Trainer#step()}.
   *
   * <p>The KL clip uses the learning rate that the trainer's optimizer is about to use, its
   * tracker's, or else the one in the options.
   *
   * <p>In the burn-in the gradients of all parameters become zeros, but for one element of 1e-45
   * without which DJL's trainer refuses them: the optimizer changes nothing then, except by a
   * weight decay of its own. The gradient of a layer that no pass has used yet stays plain until it
   * has been observed and inverses are renewed.
   *
   * @throws IllegalStateException if there was no forward pass since the last call; if there was no
   *     backward pass, in steps that take its gradients into the factors (in others the gradients
   *     are what they were); or if micro-batches are missing. A pass that is missing can be run
   *     then
   * @throws IllegalArgumentException naming the layer, if its input or a gradient is NaN or
   *     infinite; {@link #discardStep} then drops the step
   */
  public StepReport precondition() {
    Step current = step();
    current.endPasses();
    try {
      current
          .neutral()
          .followLearningRate(
              current.learningRate(),
              "this trainer's optimizer does not tell it; set it by KfacOptions.withKlClip(clip,"
                  + " learningRate)");
      return current.neutral().precondition();
    } finally {
      current.close();
    }
  }

  /**
   * The step whose passes have been run.
   *
   * @throws IllegalStateException if there was no pass, or this is closed
   */
  Step step() {
    if (closed) {
      throw new IllegalStateException("K-FAC is closed: attach it again");
    }
    return attachment.step();
  }

  boolean isClosed() {
    return closed;
  }

  /** The parameters of the model by name, each once. */
  Map<String, Parameter> parameters() {
    return attachment.taps().parameters();
  }

  /** The model's outputs without training. */
  NDList evaluate(Pass pass, NDList inputs) {
    return attachment.taps().evaluate(pass.store(), inputs);
  }

  /** What the last step did; empty before the first one. */
  public Optional<StepReport> lastReport() {
    return attachment.steps().lastReport();
  }

  /** What the last step cost; empty before the first one. */
  public Optional<StepTimes> lastTimes() {
    return attachment.steps().lastTimes();
  }

  @Override
  public void onTrainingBegin(Trainer trainer) {
    if (closed) {
      return;
    }
    if (trainer.getModel() != model) {
      throw new IllegalArgumentException("K-FAC is attached to another model than the trainer's");
    }
    if (trainer.getDevices().length > 1) {
      throw new IllegalArgumentException(
          "K-FAC works on one device, but the trainer has " + trainer.getDevices().length);
    }
  }

  /** Preconditions, and adds times and clip to the trainer's metrics if it has some. */
  @Override
  public void onTrainingBatch(Trainer trainer, BatchData batchData) {
    if (closed) {
      return;
    }
    precondition();
    if (trainer.getMetrics() != null) {
      addTo(trainer.getMetrics());
    }
  }

  /**
   * Adds what the last step did to metrics, as DJL's own are, times in nanoseconds: {@code
   * kfac-sample}, {@code kfac-observe}, {@code kfac-refresh}, {@code kfac-precondition}, {@code
   * kfac-clip}.
   *
   * @throws IllegalStateException if there was no step
   */
  public void addTo(Metrics metrics) {
    StepTimes times =
        lastTimes()
            .orElseThrow(
                () ->
                    new IllegalStateException("there is nothing to measure before the first step"));
    metrics.addMetric("kfac-sample", times.sample());
    metrics.addMetric("kfac-observe", times.observe());
    metrics.addMetric("kfac-refresh", times.refresh());
    metrics.addMetric("kfac-precondition", times.precondition());
    metrics.addMetric("kfac-clip", lastReport().orElseThrow().clip());
  }

  /**
   * Takes the taps out of the model, which can be used on, and frees the state; idempotent. As a
   * listener it does nothing from now on.
   */
  @Override
  public void close() {
    closed = true;
    attachment.close();
    if (ownBackend != null) {
      ownBackend.close();
    }
  }
}
