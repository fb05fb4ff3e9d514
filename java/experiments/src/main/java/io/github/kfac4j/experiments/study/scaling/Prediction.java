package io.github.kfac4j.experiments.study.scaling;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.distributed.sharing.LayerCost;
import io.github.kfac4j.experiments.AssignmentRule;
import java.util.List;

/**
 * The time of one iteration of layer-parallel K-FAC with factors and inverses renewed in it (Osawa
 * et al. 2019), every rank with the same number of images:
 *
 * <pre>
 * compute     forward and backward pass, A and G                 does not depend on the ranks
 * inversion   inverses and preconditioning of the busiest rank   falls as layers are divided
 * network     reduce-scatter of A, G and gradients, all-gather   rises
 *             = 3 (P - 1) latency + bytes (P - 1) / P / bandwidth (rings)
 * </pre>
 */
public record Prediction(
    int ranks,
    String assignment,
    @JsonProperty("compute_seconds") double compute,
    @JsonProperty("inversion_seconds") double inversion,
    @JsonProperty("network_seconds") double network) {

  static Prediction of(List<LayerSize> layers, Cluster cluster, AssignmentRule rule, int ranks) {
    double flops = 0;
    double bytes = 0;
    for (LayerSize layer : layers) {
      flops += cluster.images() * (3 * layer.forwardFlops() + layer.factorFlops());
      bytes += Float.BYTES * (layer.packed() + 2.0 * layer.weights());
    }
    List<LayerCost> costs =
        layers.stream().map(layer -> new LayerCost(layer.name(), cost(layer, cluster))).toList();
    double others = ranks - 1;
    return new Prediction(
        ranks,
        rule.toString(),
        flops / cluster.flopsPerSecond(),
        rule.assign(costs, ranks).longest(costs),
        3 * others * cluster.latencySeconds() + bytes * others / ranks / cluster.bytesPerSecond());
  }

  private static double cost(LayerSize layer, Cluster cluster) {
    double inverses = cluster.inverseSeconds(layer.outputDim());
    if (layer.inputDim() > 1) {
      inverses += cluster.inverseSeconds(layer.inputDim());
    }
    return inverses + layer.preconditionFlops() / cluster.flopsPerSecond();
  }

  /** The whole iteration. */
  @JsonProperty("seconds")
  public double seconds() {
    return compute + inversion + network;
  }
}
