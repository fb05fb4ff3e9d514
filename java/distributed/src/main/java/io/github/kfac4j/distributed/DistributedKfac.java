package io.github.kfac4j.distributed;

import io.github.kfac4j.BatchStatistics;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacOptions;
import io.github.kfac4j.KfacVerbs;
import io.github.kfac4j.LayerGradient;
import io.github.kfac4j.LayerReport;
import io.github.kfac4j.LayerStatistics;
import io.github.kfac4j.Observation;
import io.github.kfac4j.StepReport;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * K-FAC whose ranks share a batch and divide the layers among them (Osawa et al. 2019): every rank
 * has the whole network and a shard of the batch, and each layer has one owner.
 *
 * <pre>
 * 1 observe       A and G of the shard                         every rank
 * 2 (observe,     sums over ranks go to the owner of the layer reduce-scatter
 *    refresh)
 * 3 refresh       running averages, damped inverses            owner
 * 4 precondition  sums of the gradients go to the owners       reduce-scatter
 * 5               G^-1 dW A^-1                                 owner
 * 6               preconditioned gradients go to all           all-gather
 * </pre>
 *
 * <p>What comes out of {@link #precondition} has the same bits on all ranks and, to rounding, the
 * values of {@link Kfac} on the union of the shards. All ranks call the same verbs in the same
 * order with the same layers; a rank with an empty shard observes nothing, or an empty list, and
 * gives gradients of any content. Gradients are means over the shard. What is wrong on one rank is
 * thrown by the next refresh or precondition on all of them, in the same words, and names the rank.
 *
 * <p>With more than one worker a layer, inverses go from the owner to the other workers at each
 * refresh and sums of gradients at each step, and each worker preconditions for its row. They have
 * the same bits if they compute alike: on machines and backends of one kind.
 *
 * <p>Running averages and inverses are only on the owner and the other workers. Adaptive intervals
 * and the approximation EKFAC are for single processes.
 */
public final class DistributedKfac implements KfacVerbs {
  private final Collectives collectives;
  private final Assignment assignment;
  private final Agreement agreement;
  private final StatisticsExchange statistics;
  private final GradientBlocks gradientBlocks;
  private final Exchange exchange;
  private final BatchStatistics shard;
  private final Map<String, Layer> layers;

  /** K-FAC of the layers that this rank owns, or null if it owns none. */
  private final Kfac owned;

  /** Copies of what other ranks own and this one preconditions as well, or null if it does not. */
  private final Kfac copies;

  private KfacOptions options;
  private long step;
  private double examples = 1;
  private boolean statisticsSummed;
  private RuntimeException failure;
  private List<LayerReport> lastRefresh = List.of();

  /**
   * Joins the other ranks; called by all.
   *
   * @param collectives of this rank; stays the caller's to close, after this
   * @param backend of this rank; likewise
   * @param layers of the whole network by name, in the same order on all ranks
   * @param options the same on all ranks
   * @param assignment of these layers to as many ranks
   * @param precision in which statistics and gradients travel
   * @throws IllegalStateException on all ranks, if they do not agree on version, layers or settings
   * @throws IllegalArgumentException if there is no layer, or a setting is for single processes
   */
  public DistributedKfac(
      Collectives collectives,
      Backend backend,
      Map<String, ? extends Layer> layers,
      KfacOptions options,
      Assignment assignment,
      Precision precision) {
    this.collectives = collectives;
    this.layers = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
    this.options = options;
    this.assignment = assignment;
    this.agreement = new Agreement(collectives);
    Handshake.requireSame(collectives, facts(precision));
    requireSupported();
    this.statistics = new StatisticsExchange(collectives, this.layers, assignment, precision);
    this.gradientBlocks = new GradientBlocks(this.layers, assignment, backend);
    this.exchange = new Exchange(collectives, precision);
    this.shard = new BatchStatistics(backend, layers, options);
    this.owned = kfac(backend, mine());
    this.copies = kfac(backend, copied());
  }

  /** With the balanced assignment of cubic costs, in fp32. */
  public static DistributedKfac of(
      Collectives collectives,
      Backend backend,
      Map<String, ? extends Layer> layers,
      KfacOptions options) {
    Assignment assignment = Assignment.balanced(LayerCost.cubic(layers), collectives.size());
    return new DistributedKfac(collectives, backend, layers, options, assignment, Precision.FP32);
  }

  private Map<String, String> facts(Precision precision) {
    Map<String, String> facts = new LinkedHashMap<>();
    String version = Kfac.class.getPackage().getImplementationVersion();
    facts.put("the version of kfac4j", version == null ? "(development)" : version);
    facts.put("the list of layers", layers.keySet().toString());
    layers.forEach(
        (name, layer) ->
            facts.put("layer '" + name + "'", layer + " as " + options.approximationOf(name)));
    facts.put("the settings", options.forLayers(Set.of()).toString());
    facts.put("the assignment", assignment.toString());
    facts.put("the precision", precision.toString());
    return facts;
  }

  private void requireSupported() {
    if (options.intervals().similarity().isPresent()) {
      throw new IllegalArgumentException(
          "adaptive intervals are for single processes; choose intervals that are the same for all"
              + " layers");
    }
    if (assignment.ranks() != collectives.size()
        || !assignment.owners().keySet().equals(layers.keySet())) {
      throw new IllegalArgumentException(
          "the assignment is of %s to %d ranks, but there are %s and %d ranks"
              .formatted(
                  assignment.owners().keySet(),
                  assignment.ranks(),
                  layers.keySet(),
                  collectives.size()));
    }
  }

  private Kfac kfac(Backend backend, Map<String, Layer> some) {
    return some.isEmpty() ? null : new Kfac(backend, some, optionsOf(some));
  }

  /** The layers that this rank preconditions although it does not own them. */
  private Map<String, Layer> copied() {
    Map<String, Layer> copied = new LinkedHashMap<>(layers);
    int rank = collectives.rank();
    copied.keySet().removeIf(l -> assignment.owner(l) == rank || !assignment.isWorker(l, rank));
    return copied;
  }

  /** The layers of this rank. */
  private Map<String, Layer> mine() {
    Map<String, Layer> mine = new LinkedHashMap<>(layers);
    mine.keySet().retainAll(assignment.owned(collectives.rank()));
    return mine;
  }

  /** The settings of some layers; the clip is of all layers together and is done here. */
  private KfacOptions optionsOf(Map<String, Layer> some) {
    return options.withoutKlClip().forLayers(some.keySet());
  }

  /**
   * Sets how many examples this rank's shard of the next batches has, 0 for none. Until it is
   * called all shards count the same.
   */
  public void setExamples(int count) {
    if (count < 0) {
      throw new IllegalArgumentException("examples must not be negative but are " + count);
    }
    examples = count;
  }

  /** Which rank has which layer. */
  public Assignment assignment() {
    return assignment;
  }

  @Override
  public KfacOptions options() {
    return options;
  }

  /** {@inheritDoc} All ranks make the same change. */
  @Override
  public void reconfigure(KfacOptions changed) {
    KfacOptions before = options;
    options = changed;
    try {
      if (owned != null) {
        owned.reconfigure(optionsOf(mine()));
      }
      if (copies != null) {
        copies.reconfigure(optionsOf(copied()));
      }
    } catch (IllegalArgumentException e) {
      options = before;
      throw e;
    }
  }

  @Override
  public long step() {
    return step;
  }

  @Override
  public boolean wantsObservations() {
    return options.intervals().wantsFactors(step);
  }

  @Override
  public boolean wantsRefresh() {
    return options.intervals().wantsInverses(step);
  }

  /**
   * Takes this rank's shard of a batch into the statistics; see {@link KfacVerbs#observe(List,
   * double)}. What is wrong is thrown by the next refresh or precondition, on all ranks.
   */
  @Override
  public void observe(List<Observation> observations, double share) {
    try {
      shard.observe(observations, share);
    } catch (RuntimeException e) {
      fail(e);
    }
  }

  private void fail(RuntimeException e) {
    failure = failure == null ? e : failure;
  }

  /** Sums what was observed in this step, once. */
  private void sumStatistics() {
    if (statisticsSummed) {
      return;
    }
    RuntimeException observing = failure;
    failure = null;
    Map<String, LayerStatistics> sums;
    try {
      sums = statistics.sum(shard, options.convention(), observing);
    } finally {
      shard.reset();
    }
    statisticsSummed = true;
    if (owned != null) {
      try {
        owned.observe(sums);
      } catch (RuntimeException e) {
        fail(e);
      }
    }
  }

  @Override
  public List<LayerReport> refresh() {
    sumStatistics();
    List<LayerReport> mine = List.of();
    if (owned != null && failure == null) {
      try {
        mine = owned.refresh();
      } catch (RuntimeException e) {
        fail(e);
      }
    }
    List<LayerReport> reports = mine;
    Map<String, LayerReport> all = new LinkedHashMap<>();
    for (byte[] message : settle(Frames.bytes(out -> Reports.write(reports, out)))) {
      Frames.read(message, Reports::read).forEach(report -> all.put(report.layer(), report));
    }
    lastRefresh = layers.keySet().stream().map(all::get).toList();
    copyInverses();
    return lastRefresh;
  }

  /** Hands what this rank owns to the other workers of each layer. */
  private void copyInverses() {
    if (assignment.workers() == 1) {
      return;
    }
    Map<String, StoredTensor> state = owned == null ? Map.of() : owned.toTensors();
    List<Map<String, StoredTensor>> toRank = new ArrayList<>();
    for (int rank = 0; rank < collectives.size(); rank++) {
      Map<String, StoredTensor> some = new LinkedHashMap<>();
      for (String layer : mine().keySet()) {
        if (rank != collectives.rank() && assignment.isWorker(layer, rank)) {
          some.putAll(of(layer, state));
        }
      }
      toRank.add(some);
    }
    Map<String, StoredTensor> received = new StateExchange(collectives).exchange(toRank);
    if (copies != null) {
      received.put("step", StoredTensor.of(new long[] {step}));
      copies.restore(received);
    }
  }

  private static Map<String, StoredTensor> of(String layer, Map<String, StoredTensor> state) {
    Map<String, StoredTensor> some = new LinkedHashMap<>(state);
    some.keySet().removeIf(name -> !isOf(layer, name));
    return some;
  }

  private List<byte[]> settle(byte[] message) {
    RuntimeException mine = failure;
    failure = null;
    return agreement.settle(mine, message);
  }

  @Override
  public StepReport precondition(List<LayerGradient> gradients) {
    StepReport report = preview(gradients);
    endStep();
    return report;
  }

  @Override
  public StepReport preview(List<LayerGradient> gradients) {
    List<Block> blocks = new ArrayList<>();
    StepReport report = preconditionOwned(gradients, blocks);
    if (assignment.workers() == 1) {
      exchange.gather(blocks).await();
    } else {
      exchange.send(blocks, assignment::worker);
    }
    gradientBlocks.store(blocks, gradients);
    return report;
  }

  /**
   * Does what {@link #precondition} does, but only for the layers that this rank {@linkplain
   * #assignment() owns}; other gradients stay as they are. For trainers that update the weights of
   * a layer at its owner, with momentum there alone, and then {@link #gatherWeights}.
   */
  public StepReport preconditionOwned(List<LayerGradient> gradients) {
    List<Block> blocks = new ArrayList<>();
    StepReport report = preconditionOwned(gradients, blocks);
    gradientBlocks.storeOwned(blocks, gradients, collectives.rank());
    endStep();
    return report;
  }

  /**
   * Copies weights from the owners of their layers to all ranks, in place; called by all.
   *
   * @param weights by layer, in the same order on all ranks
   * @throws IllegalArgumentException naming a layer that is unknown
   */
  public void gatherWeights(Map<String, List<HostTensor>> weights) {
    List<Block> blocks = new ArrayList<>();
    List<HostTensor> tensors = new ArrayList<>();
    weights.forEach(
        (layer, parts) -> {
          if (!layers.containsKey(layer)) {
            throw new IllegalArgumentException(
                "layer '%s': unknown layer; known are %s".formatted(layer, layers.keySet()));
          }
          for (HostTensor part : parts) {
            float[] values = Numbers.toFloats(part.toArray(), 1);
            blocks.add(new Block(assignment.owner(layer), values));
            tensors.add(part);
          }
        });
    new Exchange(collectives, Precision.FP32).gather(blocks).await();
    for (int i = 0; i < tensors.size(); i++) {
      double[] values = Numbers.toDoubles(blocks.get(i).values());
      tensors.get(i).write(0, values, 0, values.length);
    }
  }

  /** Makes blocks of the gradients; those of this rank are preconditioned and clipped. */
  private StepReport preconditionOwned(List<LayerGradient> gradients, List<Block> blocks) {
    if (wantsObservations()) {
      sumStatistics();
    }
    double share = share(gradients);
    blocks.addAll(gradientBlocks.toBlocks(gradients, share));
    exchange.sum(blocks).await();
    if (assignment.workers() > 1) {
      exchange.send(blocks, (owner, rank) -> assignment.worker(owner, rank) == rank ? owner : -1);
    }
    double innerProduct = innerProduct(previewOwned(gradients, blocks));
    double clip = clip(innerProduct);
    for (Block block : blocks) {
      scale(block.values(), clip);
    }
    return new StepReport(step + 1, innerProduct, clip, lastRefresh);
  }

  /** This rank's share of the batch, after all have agreed that gradients are good. */
  private double share(List<LayerGradient> gradients) {
    try {
      gradientBlocks.check(gradients, examples > 0);
    } catch (RuntimeException e) {
      fail(e);
    }
    List<String> names = gradients.stream().map(LayerGradient::layer).toList();
    double total = 0;
    List<String> firstNames = null;
    int rank = 0;
    for (byte[] message :
        settle(
            Frames.bytes(
                out -> {
                  out.writeDouble(examples);
                  out.writeUTF(String.join("\n", names));
                }))) {
      total += Frames.read(message, in -> in.readDouble());
      List<String> theirs =
          Frames.read(
              message,
              in -> {
                in.readDouble();
                return List.of(in.readUTF().split("\n"));
              });
      firstNames = firstNames == null ? theirs : firstNames;
      if (!firstNames.equals(theirs)) {
        throw new IllegalArgumentException(
            "ranks give gradients of different layers: rank 0 of %s, rank %d of %s"
                .formatted(firstNames, rank, theirs));
      }
      rank++;
    }
    if (total == 0) {
      throw new IllegalArgumentException("the shards of all ranks are empty");
    }
    return examples / total;
  }

  private double previewOwned(List<LayerGradient> gradients, List<Block> blocks) {
    List<LayerGradient> mine =
        gradientBlocks.some(gradients, blocks, owner -> owner == collectives.rank());
    List<LayerGradient> others =
        gradientBlocks.some(
            gradients,
            blocks,
            owner ->
                owner != collectives.rank()
                    && assignment.worker(owner, collectives.rank()) == collectives.rank());
    try {
      if (copies != null && !others.isEmpty()) {
        copies.preview(others);
      }
      return mine.isEmpty() ? 0 : owned.preview(mine).innerProduct();
    } catch (RuntimeException e) {
      fail(e);
      return 0;
    }
  }

  /** The sum over ranks, in their order, after all have agreed that there was no failure. */
  private double innerProduct(double mine) {
    double sum = 0;
    for (byte[] message : settle(Frames.bytes(out -> out.writeDouble(mine)))) {
      sum += Frames.read(message, in -> in.readDouble());
    }
    return sum;
  }

  private double clip(double innerProduct) {
    if (options.intervals().burningIn(step)) {
      return 0;
    }
    OptionalDouble bound = options.klClip();
    return bound.isEmpty()
        ? 1
        : options.convention().klClip(bound.getAsDouble(), options.learningRate(), innerProduct);
  }

  private static void scale(float[] values, double factor) {
    if (factor < 1) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (values[i] * factor);
      }
    }
  }

  private void endStep() {
    step++;
    statisticsSummed = false;
    lastRefresh = List.of();
    if (owned != null) {
      owned.endStep();
    }
    if (copies != null) {
      copies.endStep();
    }
  }

  /** {@inheritDoc} Called by all ranks; all get the whole state, as a single process has it. */
  @Override
  public Map<String, StoredTensor> toTensors() {
    Map<String, StoredTensor> mine = owned == null ? Map.of() : owned.toTensors();
    Map<String, StoredTensor> all = new LinkedHashMap<>();
    all.put("step", StoredTensor.of(new long[] {step}));
    StateExchange exchange = new StateExchange(collectives);
    for (String layer : layers.keySet()) {
      all.putAll(exchange.broadcast(of(layer, mine), assignment.owner(layer)));
    }
    return all;
  }

  private static boolean isOf(String layer, String tensor) {
    return tensor.startsWith(layer + ".") && tensor.lastIndexOf('.') == layer.length();
  }

  /** {@inheritDoc} Called by all ranks with the whole state. */
  @Override
  public void restore(Map<String, StoredTensor> tensors) {
    long restored = requireStep(tensors);
    try {
      if (owned != null) {
        owned.restore(tensors);
      }
      if (copies != null) {
        copies.restore(tensors);
      }
    } catch (RuntimeException e) {
      fail(e);
    }
    settle(new byte[0]);
    step = restored;
    shard.reset();
    statisticsSummed = false;
  }

  private static long requireStep(Map<String, StoredTensor> tensors) {
    StoredTensor stored = tensors.get("step");
    if (stored == null) {
      throw new IllegalArgumentException("the saved K-FAC state has no tensor 'step'");
    }
    return stored.asLongBuffer().get(0);
  }

  @Override
  public void close() {
    shard.close();
    if (owned != null) {
      owned.close();
    }
    if (copies != null) {
      copies.close();
    }
  }
}
