package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.sharing.Assignment;
import io.github.kfac4j.distributed.sharing.Handshake;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What the ranks of a job share and which part this rank has.
 *
 * @param collectives of this rank
 * @param layers of the whole network, in the same order on all ranks
 * @param assignment of the layers to the ranks
 */
public record SharedLayers(
    Collectives collectives, Map<String, Layer> layers, Assignment assignment) {
  public int rank() {
    return collectives.rank();
  }

  /** Whether this rank preconditions the layers of an owner. */
  public boolean worksFor(int owner) {
    return assignment.worker(owner, rank()) == rank();
  }

  /** The layers that this rank inverts. */
  public Map<String, Layer> owned() {
    return layersOf(owner -> owner == rank());
  }

  /** The layers that this rank preconditions although another one inverts them. */
  public Map<String, Layer> copied() {
    return layersOf(owner -> owner != rank() && worksFor(owner));
  }

  private Map<String, Layer> layersOf(Predicate<Integer> owner) {
    Map<String, Layer> some = new LinkedHashMap<>(layers);
    some.keySet().removeIf(layer -> !owner.test(assignment.owner(layer)));
    return some;
  }

  /**
   * Makes sure that all ranks run the same job, and that it can be shared.
   *
   * @param version of this rank's library
   * @throws IllegalStateException naming what differs and both values
   * @throws IllegalArgumentException naming the setting that is for single processes
   */
  public void check(String version, KfacOptions options, Precision precision) {
    Handshake.requireSame(collectives, facts(version, options, precision));
    if (options.intervals().similarity().isPresent()) {
      throw new IllegalArgumentException(
          "adaptive intervals are for single processes: each layer finds its own, and ranks would"
              + " have to agree on who observes when; choose intervals that are the same for all"
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

  /** The version in the manifest of the core's jar. */
  public static String version() {
    String version = Kfac.class.getPackage().getImplementationVersion();
    return version == null ? "(development)" : version;
  }

  /** What must be the same on all ranks. */
  public Map<String, String> facts(String version, KfacOptions options, Precision precision) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("the version of kfac4j", version);
    facts.put("the list of layers", layers.keySet().toString());
    layers.forEach(
        (name, layer) ->
            facts.put("layer '" + name + "'", layer + " as " + options.approximationOf(name)));
    facts.put("the settings", options.forLayers(Set.of()).toString());
    facts.put("the assignment", assignment.toString());
    facts.put("the precision", precision.toString());
    return facts;
  }
}
