package io.github.kfac4j.pytorch;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.KfacFactory;
import io.github.kfac4j.trainer.StepTimes;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.Tensor;

/**
 * K-FAC in a training program on the JavaCPP presets of PyTorch: preconditions the gradients of a
 * network's layers between the backward pass and the optimizer's step.
 *
 * <pre>{@code
 * try (TorchKfac kfac = TorchKfac.attach(net, options)) {
 *   kfac.followLearningRate(sgd);
 *   // in the network's forward pass, for each layer in place of conv1.forward(x):
 *   Tensor z = kfac.forward(conv1, x);
 *   // in the loop:
 *   loss.backward();
 *   kfac.precondition();
 *   sgd.step();
 * }
 * }</pre>
 *
 * <p>Layers are {@code Linear}, {@code Conv1d}, {@code Conv2d}, {@code ConvTranspose1d}, {@code
 * ConvTranspose2d}, {@code Embedding} (tied to a {@code Linear} without bias or not), and scale and
 * shift of {@code BatchNorm}, {@code InstanceNorm}, {@code LayerNorm} and {@code GroupNorm}. All
 * other parameters, and layers that none of K-FAC's describes exactly, are trained by the optimizer
 * as before and named in one line of the log with the reason.
 *
 * <p>The loss must be a mean over the batch. A pass begins with the first layer that runs forward
 * after a backward pass or a step; its number of examples N is the first dimension of that layer's
 * input, or what {@link #beginPass} says. Only training passes are looked at: those with gradients
 * enabled, of a network in training mode. Several backward passes before one step add up as they do
 * without K-FAC, and the factors see the last of them, unless {@link #setMicroBatches} makes a mean
 * of all.
 *
 * <p>Tensors on the CPU are read and written where they are. Those on a GPU are so too if the
 * backend is {@code kfac-cuda}'s, except for transposed convolutions, normalisations, row numbers
 * of embeddings, and rows that must be cut or sorted by example, which go through the host. Nothing
 * here is put into the caller's {@code PointerScope}s, and none of them frees what belongs to
 * K-FAC. Which parameters are trained is read before every step. Not thread-safe.
 */
public final class TorchKfac implements AutoCloseable {
  private final Attachment attachment;
  private final Backend ownBackend;

  private TorchKfac(Attachment attachment, Backend ownBackend) {
    this.attachment = attachment;
    this.ownBackend = ownBackend;
  }

  /**
   * Attaches K-FAC with the empirical Fisher and the fastest backend that works: for a network on a
   * GPU that of {@code kfac-cuda}, on PyTorch's current stream.
   *
   * @param leftOut names of layers, as {@code named_modules()} has them, that the optimizer alone
   *     is to train
   * @throws IllegalArgumentException if the network holds no layer that K-FAC knows, or none of the
   *     name of one to be left out, or if a layer is refused, with the reason
   */
  public static TorchKfac attach(Module net, KfacOptions options, String... leftOut) {
    Backend backend = Devices.backend(net);
    try {
      Attachment attachment =
          new Attachment(
              net, options, Fisher.EMPIRICAL, factory(backend), Placement.of(backend), leftOut);
      return new TorchKfac(attachment, backend);
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
   * @throws IllegalArgumentException as {@link #attach(Module, KfacOptions, String...)}
   */
  public static TorchKfac attach(
      Module net, KfacOptions options, Fisher fisher, Backend backend, String... leftOut) {
    return attach(net, options, fisher, backend, Placement.of(backend), leftOut);
  }

  /** Takes tensors where the placement says. */
  static TorchKfac attach(
      Module net,
      KfacOptions options,
      Fisher fisher,
      Backend backend,
      Placement placement,
      String... leftOut) {
    return new TorchKfac(
        new Attachment(net, options, fisher, factory(backend), placement, leftOut), null);
  }

  /**
   * Attaches K-FAC of the caller's making, for example one that is shared by many processes, or
   * that knows more of the layers than their modules tell. Tensors on a GPU go through the host.
   *
   * @param factory is called again, for all layers, when a parameter is unfrozen that K-FAC does
   *     not have; what it makes is closed with the attachment
   * @throws IllegalArgumentException as {@link #attach(Module, KfacOptions, String...)}
   */
  public static TorchKfac attach(
      Module net, KfacOptions options, Fisher fisher, KfacFactory factory) {
    return new TorchKfac(new Attachment(net, options, fisher, factory, Placement.HOST), null);
  }

  private static KfacFactory factory(Backend backend) {
    return (layers, options) -> new Kfac(backend, layers, options);
  }

  /**
   * Runs a module forward, and listens to it in a training pass. A module that is left to the
   * optimizer is run all the same.
   *
   * @param module of the network
   * @return the module's output, which belongs to the caller's scope like any other
   * @throws IllegalArgumentException if the module is of a kind that K-FAC does not know, or is not
   *     part of the network
   * @throws IllegalStateException if the step has had all of its micro-batches
   */
  public Tensor forward(Module module, Tensor x) {
    return attachment.forward(module, x);
  }

  /**
   * Ends the forward pass. Only a Fisher other than the empirical one needs it, whose extra
   * backward passes start here.
   *
   * @param outputs of the network, which the loss is then made of
   * @return the outputs
   * @throws IllegalArgumentException if the Fisher is not for outputs of this shape
   */
  public Tensor outputs(Tensor outputs) {
    attachment.outputs(outputs);
    return outputs;
  }

  /**
   * Begins a pass of a number of examples, where they are not the first dimension of the first
   * layer's input: sequences {@code [T, N, D]}, or {@code [N T, D]}.
   */
  public void beginPass(int examples) {
    if (examples < 1) {
      throw new IllegalArgumentException("examples must be positive but are " + examples);
    }
    attachment.beginPass(examples);
  }

  /**
   * Lets the KL clip follow an optimizer's learning rate, read before every step. Without this it
   * is that of the options, and if they have none there is no clip, which is warned of once.
   *
   * @param optimizer whose group of parameters with the largest rate has it
   */
  public void followLearningRate(Optimizer optimizer) {
    attachment.followLearningRate(optimizer);
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
    attachment.setMicroBatches(count);
  }

  /**
   * The same for loops that divide each loss by the count before its backward pass: statistics are
   * those of the losses themselves, and gradients are left as they have added up.
   *
   * @throws IllegalArgumentException likewise
   */
  public void setDividedMicroBatches(int count) {
    attachment.setDividedMicroBatches(count);
  }

  /**
   * Says that the loss of the passes to come is multiplied by a scale before {@code backward}. The
   * factors then see the gradients of the loss itself. The parameters' gradients are never scaled
   * here: divide them by the scale before {@link #precondition}.
   *
   * @throws IllegalArgumentException if the scale is not positive and finite
   */
  public void setLossScale(double scale) {
    attachment.step().setLossScale(scale);
  }

  /**
   * Preconditions the gradients in place; call it after the backward pass and before the
   * optimizer's step. In the burn-in the gradients of all parameters become zeros. The gradient of
   * a layer that no pass has used yet stays plain until it has been observed and inverses are
   * renewed.
   *
   * @throws IllegalStateException if there was no training pass since the last call, or no backward
   *     pass where the factors want one; if micro-batches are missing; or if the outputs that the
   *     Fisher starts from are. A pass that is missing can be run then
   * @throws IllegalArgumentException naming the layer, if its input or a gradient is NaN or
   *     infinite, or has a shape that the number of examples does not fit; {@link #discardStep}
   *     then drops the step
   */
  public StepReport precondition() {
    return attachment.precondition();
  }

  /**
   * Drops the step that has begun, at whatever point: its passes, what K-FAC has observed of them,
   * and the gradients of all parameters, which become zeros even where they hold NaN. Call it in
   * place of {@link #precondition} and the optimizer's step.
   */
  public void discardStep() {
    attachment.discardStep();
  }

  /** Names of the layers that K-FAC preconditions, as far as they are trained now. */
  public List<String> layers() {
    return attachment.names();
  }

  /** What the optimizer alone trains, with the reason where K-FAC knows the kind. */
  public List<String> unsupportedLayers() {
    return attachment.others();
  }

  /** The K-FAC that is attached, of whatever kind, for its options and its state. */
  public KfacPreconditioner kfac() {
    return attachment.kfac();
  }

  /** What the last step did; empty before the first one. */
  public Optional<StepReport> lastReport() {
    return attachment.step().lastReport();
  }

  /** What the last step cost; empty before the first one. */
  public Optional<StepTimes> lastTimes() {
    return attachment.step().lastTimes();
  }

  /** Frees what belongs to K-FAC; the network can be used on, with its own forward passes too. */
  @Override
  public void close() {
    attachment.close();
    if (ownBackend != null) {
      ownBackend.close();
    }
  }
}
