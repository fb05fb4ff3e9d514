package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Block;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A step with the inverses at hand: gradients are summed, preconditioned, clipped and sent back to
 * all ranks.
 */
public final class SharedPreconditioning implements AutoCloseable {
  private final GradientExchange gradients;
  private final RankLayers layers;
  private KfacOptions options;
  private long step;
  private double examples = 1;

  public SharedPreconditioning(
      SharedLayers shared, Backend backend, KfacOptions options, Precision precision) {
    this.gradients = new GradientExchange(shared, backend, precision);
    this.layers = new RankLayers(shared, backend, options);
    this.options = options;
  }

  /** The state of this rank. */
  public RankLayers layers() {
    return layers;
  }

  public KfacOptions options() {
    return options;
  }

  public void reconfigure(KfacOptions changed) {
    options.requireCompatible(changed); // also on a rank that owns no layer
    layers.reconfigure(changed);
    options = changed;
  }

  public long step() {
    return step;
  }

  public void setExamples(int count) {
    if (count < 0) {
      throw new IllegalArgumentException("examples must not be negative but are " + count);
    }
    examples = count;
  }

  /**
   * Preconditions for all ranks.
   *
   * @param failure of this rank, or null
   * @param refreshed what the report says of inverses
   */
  public StepReport toAll(
      List<LayerGradient> given, RuntimeException failure, List<LayerReport> refreshed) {
    List<LayerGradient> own = new ArrayList<>();
    RuntimeException problem = copy(given, own, failure);
    List<Block> blocks = gradients.sum(own, examples, problem);
    StepReport report = precondition(own, blocks, refreshed);
    gradients.toAll(blocks, own);
    return report;
  }

  /** The same for the owners of the layers alone. */
  public StepReport toOwners(
      List<LayerGradient> given, RuntimeException failure, List<LayerReport> refreshed) {
    List<LayerGradient> own = new ArrayList<>();
    RuntimeException problem = copy(given, own, failure);
    List<Block> blocks = gradients.sum(own, examples, problem);
    StepReport report = precondition(own, blocks, refreshed);
    gradients.toOwners(blocks, own);
    return report;
  }

  /**
   * Copies the gradients, so that what is checked is what is used, whatever list they come in.
   *
   * @return what this rank has to say to the others, who wait for it: the failure, if there is none
   *     that of the copy, or null
   */
  private static RuntimeException copy(
      List<LayerGradient> given, List<LayerGradient> own, RuntimeException failure) {
    try {
      own.addAll(given);
      return failure;
    } catch (RuntimeException e) {
      return failure == null ? e : failure;
    }
  }

  private StepReport precondition(
      List<LayerGradient> given, List<Block> blocks, List<LayerReport> refreshed) {
    Preconditioned done = gradients.precondition(layers, given, blocks);
    boolean burnIn = options.intervals().burningIn(step);
    double clip = burnIn ? 0 : options.clipOf(done.innerProduct());
    if (clip < 1) {
      gradients.scale(blocks, given, done.plain(), clip);
    }
    return new StepReport(step + 1, done.innerProduct(), clip, refreshed, burnIn, done.plain());
  }

  public void gatherWeights(Map<String, List<HostTensor>> weights) {
    gradients.gatherWeights(weights);
  }

  public void endStep() {
    step++;
    layers.endStep();
  }

  public void discardStep() {
    layers.discardStep();
  }

  /** Resumes at a step of a saved run. The state of the layers is restored apart. */
  public void resumeAt(long steps) {
    step = steps;
  }

  @Override
  public void close() {
    layers.close();
  }
}
