package io.github.kfac4j.dl4j;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.KfacFactory;
import io.github.kfac4j.trainer.StepTimes;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * K-FAC in a Deeplearning4j program: preconditions the gradients of a network's layers between the
 * backward pass and the updater.
 *
 * <pre>{@code
 * try (Dl4jKfac kfac = Dl4jKfac.attach(net, options)) {
 *   net.addListeners(kfac);
 *   net.fit(data, epochs);
 * }
 * }</pre>
 *
 * <p>Layers are {@code DenseLayer}, {@code Convolution1DLayer}, {@code ConvolutionLayer}, {@code
 * Deconvolution2D}, {@code EmbeddingLayer}, {@code EmbeddingSequenceLayer}, both matrices of {@code
 * SimpleRnn}, {@code BatchNormalization} (scale and shift), {@code OutputLayer} and {@code
 * RnnOutputLayer}, behind whatever preprocessors. All other parameters, and layers that none of
 * K-FAC's describes exactly, are trained by the updater as before and named in one line of the log
 * with the reason. The Fisher is the empirical one. The number of examples N is that of the batch;
 * what a gradient is divided by, weight decay, clipping and the updater's rule come after K-FAC,
 * which sees gradients as means over the batch.
 *
 * <p>During a pass that K-FAC listens to, the activation functions and losses in the network's
 * configuration are stand-ins; models that are saved meanwhile have the real ones. One thread
 * trains the network: {@code ParallelWrapper} is not supported. A call of {@code fit} that throws
 * leaves K-FAC as it was before the step.
 */
public final class Dl4jKfac extends BaseTrainingListener implements AutoCloseable {
  private final Attachment attachment;
  private final Backend ownBackend;

  private Dl4jKfac(Attachment attachment, Backend ownBackend) {
    this.attachment = attachment;
    this.ownBackend = ownBackend;
  }

  /**
   * Attaches K-FAC with the fastest backend there is.
   *
   * @param net initialized
   * @param leftOut names of layers that the updater alone is to train
   * @throws IllegalArgumentException if the network holds no layer that K-FAC knows, or none of the
   *     name of one to be left out, if a layer is refused, with the reason, or if the network is
   *     not trained by gradient steps
   * @throws IllegalStateException if the network is not initialized
   */
  public static Dl4jKfac attach(MultiLayerNetwork net, KfacOptions options, String... leftOut) {
    return attach(new Network(net), options, leftOut);
  }

  /**
   * Attaches K-FAC with the fastest backend there is.
   *
   * @param graph initialized
   * @param leftOut names of layers that the updater alone is to train
   * @throws IllegalArgumentException as {@link #attach(MultiLayerNetwork, KfacOptions, String...)}
   * @throws IllegalStateException likewise
   */
  public static Dl4jKfac attach(ComputationGraph graph, KfacOptions options, String... leftOut) {
    return attach(new Network(graph), options, leftOut);
  }

  private static Dl4jKfac attach(Network network, KfacOptions options, String... leftOut) {
    Backend backend = Backends.best();
    KfacFactory factory = (layers, settings) -> new Kfac(backend, layers, settings);
    try {
      return new Dl4jKfac(new Attachment(network, options, factory, leftOut), backend);
    } catch (RuntimeException e) {
      backend.close();
      throw e;
    }
  }

  /**
   * Attaches K-FAC of the caller's making, for example on a backend of choice, shared by many
   * processes, or with layers described by what the network does not tell.
   *
   * @param factory what it makes is closed with the attachment
   * @throws IllegalArgumentException as {@link #attach(MultiLayerNetwork, KfacOptions, String...)}
   * @throws IllegalStateException likewise
   */
  public static Dl4jKfac attach(MultiLayerNetwork net, KfacOptions options, KfacFactory factory) {
    return new Dl4jKfac(new Attachment(new Network(net), options, factory), null);
  }

  /**
   * Attaches K-FAC of the caller's making to a graph.
   *
   * @param factory what it makes is closed with the attachment
   * @throws IllegalArgumentException as {@link #attach(MultiLayerNetwork, KfacOptions, String...)}
   * @throws IllegalStateException likewise
   */
  public static Dl4jKfac attach(ComputationGraph graph, KfacOptions options, KfacFactory factory) {
    return new Dl4jKfac(new Attachment(new Network(graph), options, factory), null);
  }

  /** Begins a pass; called by Deeplearning4j. */
  @Override
  public void onForwardPass(Model model, List<INDArray> activations) {
    if (concerns(model)) {
      attachment.forward();
    }
  }

  /** Begins a pass; called by Deeplearning4j. */
  @Override
  public void onForwardPass(Model model, Map<String, INDArray> activations) {
    if (concerns(model)) {
      attachment.forward();
    }
  }

  /**
   * Preconditions the gradients; called by Deeplearning4j. In the burn-in they become zeros. The
   * gradient of a layer that has not been observed yet stays plain until inverses are renewed.
   *
   * @throws IllegalArgumentException naming the layer, if its input or a gradient is NaN or
   *     infinite; network and K-FAC are as before the step then
   */
  @Override
  public void onGradientCalculation(Model model) {
    if (concerns(model)) {
      attachment.precondition();
    }
  }

  private boolean concerns(Model model) {
    if (attachment.isClosed()) {
      return false;
    }
    boolean own = attachment.network().is(model);
    boolean network = model instanceof MultiLayerNetwork || model instanceof ComputationGraph;
    if (!own && network) {
      throw new IllegalArgumentException(
          "K-FAC is attached to another network than the one that is trained, such as a clone of"
              + " it: attach it to that one, and give that one listeners of its own");
    }
    return own; // else a layer that is trained by itself
  }

  /**
   * Drops a pass that {@code fit} has not ended because it threw an exception of its own. Where a
   * layer or loss that K-FAC listens to threw it that has been done; else the next call of {@code
   * fit} does the same.
   */
  public void discardStep() {
    attachment.discardStep();
  }

  /** Names of the layers that K-FAC preconditions. */
  public List<String> layers() {
    return attachment.names();
  }

  /** What the updater alone trains, with the reason where K-FAC knows the kind. */
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

  /**
   * Frees what belongs to K-FAC; the network can be used on. As a listener it does nothing then.
   */
  @Override
  public void close() {
    attachment.close();
    if (ownBackend != null) {
      ownBackend.close();
    }
  }
}
