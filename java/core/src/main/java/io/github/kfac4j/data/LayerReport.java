package io.github.kfac4j.data;

import io.github.kfac4j.layer.Layer;
import java.util.Collections;
import java.util.List;

/**
 * What one refresh did to one layer, a value for each group.
 *
 * @param layer the layer's name
 * @param inputDim the dimension of A
 * @param outputDim the dimension of G
 * @param groups of the layer
 * @param seconds that the refresh took of all layers of the same curvature, which are inverted at
 *     once
 */
public record LayerReport(
    String layer,
    int inputDim,
    int outputDim,
    int groups,
    List<GroupReport> perGroup,
    double seconds) {

  /** The status where everything went as it should. */
  public static final String OK = "ok";

  /** The status of a layer that has taken no part yet: a head that no pass has used, say. */
  public static final String NOT_OBSERVED = "not observed yet, gradient left plain";

  /** The report of a layer that has not been observed: a refresh passes it over. */
  public static LayerReport notObserved(String name, Layer layer) {
    FactorReport nothing =
        new FactorReport("block", FactorReport.Kind.BLOCK, Double.NaN, Double.NaN);
    GroupReport group = new GroupReport(Double.NaN, List.of(nothing), NOT_OBSERVED);
    int groups = layer.groups();
    return new LayerReport(
        name, layer.inputDim(), layer.outputDim(), groups, Collections.nCopies(groups, group), 0);
  }

  /** The same with the time that the refresh took, in seconds. */
  public LayerReport withSeconds(double value) {
    return new LayerReport(layer, inputDim, outputDim, groups, perGroup, value);
  }

  /**
   * One group of a layer.
   *
   * @param pi the ratio by which factored damping was split between A and G, NaN where the mode or
   *     convention has none
   * @param factors what was inverted
   * @param status the outcome in words: {@code ok}, or what failed and what was done about it
   */
  public record GroupReport(double pi, List<FactorReport> factors, String status) {
    /** What was added to A, or, for exact damping, to the block. */
    public double dampingA() {
      return factors.get(0).damping();
    }

    /** What was added to G; NaN for exact damping. */
    public double dampingG() {
      return factors.stream()
          .filter(factor -> factor.kind() == FactorReport.Kind.OUTPUT_GRADIENTS)
          .mapToDouble(FactorReport::damping)
          .findFirst()
          .orElse(Double.NaN);
    }
  }

  /**
   * One matrix that was inverted.
   *
   * @param name {@code A}, {@code G}, ..., or {@code block} where damping is added to the block
   * @param kind what it is made of
   * @param damping what was added to its diagonal
   * @param condition of the damped matrix. Of a factor an upper bound, tr(M) tr(M^-1), which is at
   *     most n^2 times too large; of a block the number itself. NaN after a failure.
   */
  public record FactorReport(String name, Kind kind, double damping, double condition) {
    /** What a matrix is made of. */
    public enum Kind {
      /** Inputs of the layer. */
      INPUTS,
      /** Output gradients of the layer. */
      OUTPUT_GRADIENTS,
      /** Both: the block of the layer. */
      BLOCK
    }
  }
}
