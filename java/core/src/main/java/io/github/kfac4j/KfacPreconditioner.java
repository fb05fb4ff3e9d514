package io.github.kfac4j;

import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What a trainer asks of K-FAC in a step, whether the work is done here or shared by many machines.
 * Every verb checks all of its arguments before it changes anything. An instance is used by one
 * thread at a time.
 */
public interface KfacPreconditioner extends AutoCloseable {
  /** The settings in force. */
  KfacOptions options();

  /**
   * Changes settings between steps, for example damping or learning rate on a schedule.
   *
   * @throws IllegalArgumentException if convention, approximations, damping mode or the kind of
   *     intervals differ, which a state cannot change
   */
  void reconfigure(KfacOptions changed);

  /** Preconditioned steps so far. */
  long step();

  /** Whether a layer asks for observations before the next step. */
  boolean wantsObservations();

  /** Whether a layer asks for a refresh before the next step. */
  boolean wantsRefresh();

  /**
   * Takes a batch into the running averages A and G.
   *
   * @param observations of some or all layers, several of a layer that was used several times in
   *     the pass; the tensors are not kept
   * @throws IllegalArgumentException naming the layer and what is wrong: unknown layer, wrong
   *     shape, empty batch, uses that do not belong to one pass, NaN or infinity
   */
  default void observe(List<Observation> observations) {
    observe(observations, Share.ALL);
  }

  /**
   * Takes a part of a step into the running averages: a micro-batch, or one of several backward
   * passes through the same forward pass, whose A, which is the same in all of them, may be made in
   * the first alone. The factors become those of the weighted mean over all parts, which bring the
   * same layers.
   *
   * @param share what the part counts for
   * @throws IllegalArgumentException as {@link #observe(List)}, or if the shares exceed 1
   */
  void observe(List<Observation> observations, Share share);

  /**
   * Multiplies the share that all observations of the step so far have, as if they had been made
   * with others: for micro-batches whose number of examples is not known when the first of them are
   * observed.
   *
   * @throws IllegalArgumentException if nothing has been observed, or the share would not be in (0,
   *     1]
   */
  void reweigh(double factor);

  /**
   * Takes the inputs of a batch before its backward pass, for those who can make use of them then.
   * The same layers are observed after the backward pass as if nothing had been.
   *
   * @param inputs as {@link Observation#ofInput} makes them
   * @param share what the forward pass counts for; which backward pass follows does not matter
   */
  default void observeInputs(List<Observation> inputs, Share share) {}

  /**
   * Renews the damped inverses of all layers, or with adaptive intervals of those that are due,
   * from their factors. Layers that have not been observed yet are passed over: their gradients
   * stay plain until they have been observed and refreshed.
   *
   * @return a report for each layer; {@link LayerReport#NOT_OBSERVED} for those passed over
   * @throws IllegalStateException if nothing has been observed at all
   * @throws InversionFailedException if a factor cannot be inverted and the policy has no fallback
   *     left
   */
  List<LayerReport> refresh();

  /**
   * Replaces gradients by preconditioned ones, {@code G^-1 dW A^-1} for a Kronecker product, and
   * clips them all by one factor if a KL clip is set. In the burn-in they become zeros. Ends the
   * step.
   *
   * <p>The gradient of a layer that has had no part in a refresh yet, such as a head that no pass
   * has used, stays as it is, like that of a parameter that K-FAC does not have. The clip bounds
   * the length of a step in the Fisher metric, which such a layer has none of: its gradient does
   * not count in the inner product and is not clipped. {@link StepReport#plain} names it.
   *
   * @param gradients of some or all layers, each at most once
   * @throws IllegalArgumentException naming the layer and what is wrong: unknown or repeated layer,
   *     wrong shape, NaN or infinity, no inverses of any layer yet
   */
  StepReport precondition(List<LayerGradient> gradients);

  /**
   * A whole step of one pass: {@link #observe} and {@link #refresh} where they are due, then {@link
   * #precondition}. The verbs by themselves are for steps of several passes, for Fishers other than
   * the empirical one, and for those who capture what layers see only where {@link
   * #wantsObservations} says so.
   *
   * @param observations of some or all layers; not looked at in steps that do not want them
   * @param gradients of some or all layers, replaced in place
   * @throws IllegalArgumentException as {@link #observe} and {@link #precondition}; {@link
   *     #discardStep} then drops what the step has done before. Also if nothing could be measured,
   *     see {@link KfacOptions#requireMeasurable}
   * @throws InversionFailedException as {@link #refresh}, likewise
   */
  default StepReport step(List<Observation> observations, List<LayerGradient> gradients) {
    options().requireMeasurable();
    if (wantsObservations()) {
      observe(observations);
    }
    if (wantsRefresh()) {
      refresh();
    }
    return precondition(gradients);
  }

  /**
   * Does what {@link #precondition} does, but the step continues: gradients that were put back can
   * be preconditioned once more, with other settings.
   *
   * @throws IllegalArgumentException as {@link #precondition}
   */
  StepReport preview(List<LayerGradient> gradients);

  /**
   * Drops the step that is under way: what has been observed, refreshed and previewed since the
   * last step ended, at any point of it. The next steps are bit for bit those of a run without it.
   * For a batch that turned out bad: NaN, an interrupted pass, micro-batches that will not come.
   * Settings stay as they are now. Does nothing between steps.
   *
   * <p>For this a matrix is copied before the step changes it, within the backend's memory: the
   * averages in steps that observe, inverses in steps that refresh. The copies take as much memory
   * again as the matrices. For a small CNN on Fashion-MNIST (A of 3137 x 3137, batches of 64, 2
   * cores) that is 88 MB, and 8 to 20 ms more in a step that observes, which takes 42 ms; beside a
   * refresh of 2 s it is lost in the noise.
   */
  void discardStep();

  /** A copy of all that is remembered between steps, as named tensors. */
  Map<String, StoredTensor> toTensors();

  /**
   * Replaces everything by what {@link #toTensors} gave, on one machine or on any number, of K-FAC
   * with the same layers, approximations, convention, damping mode and kind of intervals. Damping,
   * decay, clip, learning rate and the lengths of intervals may differ.
   *
   * @throws IllegalArgumentException naming the layer and both sides of what differs, or the first
   *     tensor that is missing, does not fit or holds an impossible value; the state is unchanged
   *     then, on all machines
   */
  void restore(Map<String, StoredTensor> tensors);

  /**
   * Writes what {@link #toTensors} gives to a file of its own, atomically.
   *
   * @throws IllegalStateException as {@link KfacState#save}; the file is as it was
   */
  default void save(Path file) throws IOException {
    KfacState.write(toTensors(), file);
  }

  /**
   * Reads a file that {@link #save} or {@link KfacState#save} wrote; see {@link #restore}.
   *
   * @throws IOException if the file is missing, damaged, without its checksum, not a K-FAC state or
   *     not of such a K-FAC; the state is unchanged then
   */
  default void load(Path file) throws IOException {
    KfacState.read(file, this::restore);
  }

  /** Frees the state's matrices; idempotent. */
  @Override
  void close();
}
