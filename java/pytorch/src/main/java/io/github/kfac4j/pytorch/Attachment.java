package io.github.kfac4j.pytorch;

import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.KfacFactory;
import io.github.kfac4j.trainer.TrainedLayers;
import io.github.kfac4j.trainer.TrainingStep;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.OptimizerParamGroupVector;
import org.bytedeco.pytorch.Tensor;

/** A network, the K-FAC that listens to its layers, and the step that is under way. */
final class Attachment implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(TorchKfac.class.getName());

  private final Module net;
  private final Placement placement;
  private final boolean sampled;
  private final NetTaps taps;
  private final TrainedLayers layers;
  private final TrainingStep<Pass> step;
  private final Set<Tap> used = new HashSet<>();
  private final Set<Tap> saidUnheard = new HashSet<>();
  private boolean saidRepeats;
  private Optimizer optimizer;
  private int microBatches = 1;
  private int saidExamples;
  private boolean saidUnequal;
  private boolean closed;

  /**
   * Finds the layers and makes K-FAC for them.
   *
   * @param leftOut names of layers that K-FAC is not to have
   * @throws IllegalArgumentException as {@link NetTaps} and {@link TrainedLayers}, or if EKFAC
   *     would measure nothing
   */
  Attachment(
      Module net,
      KfacOptions options,
      Fisher fisher,
      KfacFactory factory,
      Placement placement,
      String... leftOut) {
    options.requireMeasurable();
    this.net = net;
    this.placement = placement;
    this.sampled = fisher.estimator() != Fisher.Estimator.EMPIRICAL;
    this.taps = new NetTaps(net);
    try {
      layers =
          new TrainedLayers(
              taps.taps(),
              options.withEstimator(fisher.estimator()),
              factory,
              Set.of(leftOut),
              LOG);
      step =
          new TrainingStep<>(
              fisher,
              new Gradients(
                  net, taps.taps(), placement, () -> layers.kfac().options(), used::contains),
              LOG);
      update();
    } catch (RuntimeException e) {
      taps.close();
      throw e;
    }
  }

  private void update() {
    layers.update(step, this::others);
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
    return taps.others(tap -> layers.has(tap) && tap.trains());
  }

  void setMicroBatches(int count) {
    step.setMicroBatches(count);
    microBatches = count;
  }

  void setDividedMicroBatches(int count) {
    step.setDividedMicroBatches(count);
    microBatches = count;
  }

  void followLearningRate(Optimizer value) {
    optimizer = value;
  }

  /** Runs a module, and listens to it if it is in training. */
  Tensor forward(Module module, Tensor x) {
    Site site = Sites.of(module);
    if (site == null) {
      throw new IllegalArgumentException(
          "K-FAC does not know a module of class %s: %s; call its own forward()"
              .formatted(module.getClass().getSimpleName(), Sites.KNOWN));
    }
    boolean training = !closed && GradMode.is_enabled() && net.is_training();
    Tap tap = training ? taps.of(site) : null;
    if (training && (!step.hasPass() || step.pass().over() || isLost(tap))) {
      begin(saidExamples > 0 ? saidExamples : site.shape(Sizes.of(x))[0]);
    }
    Tensor output = site.forward(x);
    // on no rows, as where no token is masked or no example routed here, it was not used
    if (tap != null && output.requires_grad() && output.numel() > 0) {
      boolean active = tap.active();
      if (active) {
        used.add(tap);
      }
      step.pass().use(tap, site, x, output, active, microBatches > 1);
    }
    return output;
  }

  /** Of several passes each counts, whether it is lost or not. */
  private boolean isLost(Tap tap) {
    return microBatches <= 1 && step.pass().lost(tap);
  }

  void beginPass(int examples) {
    if (step.hasPass()) {
      step.pass().end();
    }
    saidExamples = examples;
  }

  private void begin(int examples) {
    if (!step.hasPass()) {
      update();
      used.clear();
    }
    boolean captured = step.wantsNext();
    await();
    step.begin(new Pass(placement, step.options(), examples, saidExamples > 0, captured));
    saidExamples = 0;
  }

  /** Waits until what K-FAC takes on a GPU is there. */
  private void await() {
    int device = placement == Placement.HOST ? -1 : Devices.of(taps.taps().get(0).weight());
    if (device >= 0) {
      Gpu.await(device);
    }
  }

  /** Ends the forward pass with what it has led to. */
  void outputs(Tensor outputs) {
    if (!closed && step.hasPass() && !step.pass().over() && outputs.requires_grad()) {
      Pass pass = step.pass();
      await();
      step.forwardDone(() -> new Sampling(pass, outputs));
      pass.endSampled();
    }
  }

  StepReport precondition() {
    if (closed) {
      throw new IllegalStateException("K-FAC is closed");
    }
    if (!step.hasPass()) {
      throw new IllegalStateException(
          "there is no training pass to precondition: run the layers by kfac.forward(layer, x), in"
              + " a network in training mode (net.train(true)) and with gradients enabled, and"
              + " loss.backward(), before each call of precondition()");
    }
    if (sampled && step.pass().captured() && !step.pass().sampled()) {
      throw new IllegalStateException(
          "the Fisher of this K-FAC starts from the network's outputs: pass them through"
              + " kfac.outputs(y) before the loss");
    }
    await();
    nameRepeats();
    step.endPasses();
    followRate();
    nameUnheard();
    nameUnequal();
    try {
      return step.precondition();
    } finally {
      step.close();
    }
  }

  private void followRate() {
    OptionalDouble rate =
        optimizer == null ? OptionalDouble.empty() : OptionalDouble.of(largestRate(optimizer));
    step.followLearningRate(
        rate,
        "say kfac.followLearningRate(optimizer) after attaching, or set it by"
            + " KfacOptions.withKlClip(clip, learningRate)");
  }

  /**
   * With a smaller one, the steps of a group with a larger one would be longer than the clip says.
   */
  @SuppressWarnings("try") // the scope frees what is made inside it
  private static double largestRate(Optimizer optimizer) {
    double largest = 0;
    try (PointerScope scope = new PointerScope()) {
      OptimizerParamGroupVector groups = optimizer.param_groups();
      for (long i = 0; i < groups.size(); i++) {
        largest = Math.max(largest, groups.get(i).options().get_lr());
      }
    }
    return largest;
  }

  /** Says once that all layers ran several times, which two forward passes by mistake do. */
  private void nameRepeats() {
    int times = step.pass().repeats();
    if (times > 1 && !saidRepeats) {
      saidRepeats = true;
      LOG.log(
          System.Logger.Level.INFO,
          "every layer ran {0} times before the backward pass: K-FAC takes that for uses on the"
              + " same {1} examples. If these were passes of different examples, join their inputs"
              + " in one, or run a backward pass after each and say setMicroBatches(); beginPass(n)"
              + " before a pass says that it is one",
          times,
          step.pass().examples());
    }
  }

  /** Names once each layer that has a gradient but was not run through here. */
  private void nameUnheard() {
    for (Tap tap : taps.taps()) {
      if (tap.active()
          && !used.contains(tap)
          && tap.weight().grad().defined()
          && saidUnheard.add(tap)) {
        LOG.log(
            System.Logger.Level.WARNING,
            "layer ''{0}'' has a gradient but did not run by kfac.forward(layer, x): the optimizer"
                + " alone trains it",
            tap.name());
      }
    }
  }

  /** Names once that a pass has run its first layer on different numbers of examples. */
  private void nameUnequal() {
    int other = step.pass().otherExamples();
    if (other > 0 && !saidUnequal) {
      saidUnequal = true;
      LOG.log(
          System.Logger.Level.WARNING,
          "one pass ran its first layer on {0} rows and on {1}: K-FAC takes it as a pass of {0}"
              + " examples. Join the inputs of both in one forward pass, or, if it is one, say so"
              + " by beginPass({0})",
          step.pass().examples(),
          other);
    }
  }

  void discardStep() {
    if (closed) {
      return;
    }
    step.discard();
    new Gradients(net, List.of(), placement, step::options, used::contains).clear();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      step.close();
      layers.close();
      taps.close();
    }
  }
}
