package io.github.kfac4j.dl4j;

import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.data.Advice;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.KfacFactory;
import io.github.kfac4j.trainer.TrainedLayers;
import io.github.kfac4j.trainer.TrainingStep;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A network, the K-FAC that listens to its layers, and the step that is under way. */
final class Attachment implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Dl4jKfac.class.getName());

  private final Network network;
  private final TrainedLayers layers;
  private final TrainingStep<Pass> step;
  private boolean closed;

  /**
   * Makes K-FAC for the layers of a network.
   *
   * @param leftOut names of layers that K-FAC is not to have
   * @throws IllegalArgumentException as {@link TrainedLayers}, or if EKFAC would measure nothing
   */
  Attachment(Network network, KfacOptions options, KfacFactory factory, String... leftOut) {
    options.requireMeasurable();
    this.network = network;
    KfacOptions empirical = options.withEstimator(Fisher.Estimator.EMPIRICAL);
    layers = new TrainedLayers(network.taps(), empirical, factory, Set.of(leftOut), LOG);
    step = new TrainingStep<>(Fisher.EMPIRICAL, new Gradients(network, this::taps), LOG);
    layers.update(step, this::others);
  }

  /** Drops the step that is under way. */
  void discardStep() {
    if (!closed) {
      step.discard();
    }
  }

  private List<Tap> taps() {
    return network.taps().stream().filter(layers::has).toList();
  }

  Network network() {
    return network;
  }

  TrainingStep<Pass> step() {
    return step;
  }

  KfacPreconditioner kfac() {
    return layers.kfac();
  }

  List<String> names() {
    return layers.preconditioned();
  }

  List<String> others() {
    List<String> all = new ArrayList<>(network.others());
    network.taps().stream().filter(tap -> !layers.has(tap)).map(Tap::name).forEach(all::add);
    return all;
  }

  /** A forward pass has been run, a backward pass follows. */
  void forward() {
    step.close(); // one whose gradients were not for a step
    boolean captured = step.wantsNext() && !network.lacksLabels();
    int examples = network.examples();
    step.setLossScale(examples); // losses are sums
    step.begin(new Pass(examples, captured ? taps() : List.of()));
  }

  /** The gradients are there and the updater has not seen them yet. */
  void precondition() {
    if (!step.hasPass()) {
      return;
    }
    try {
      step.endPasses();
      step.followLearningRate(
          network.learningRate(),
          "the network's updaters have none; set it by KfacOptions.withKlClip(clip, learningRate)");
      step.precondition();
    } catch (IllegalArgumentException e) {
      step.discard();
      throw Advice.saying("; network and K-FAC are as before it: go on with the next batch", e);
    } catch (RuntimeException e) {
      step.discard();
      throw e;
    } finally {
      step.close();
    }
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      step.close();
      layers.close();
    }
  }
}
