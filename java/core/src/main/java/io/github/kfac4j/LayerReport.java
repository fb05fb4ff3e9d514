package io.github.kfac4j;

import java.util.List;

/**
 * What one refresh did to one layer, a value for each group.
 *
 * @param layer the layer's name
 * @param inputDim the dimension of A
 * @param outputDim the dimension of G
 * @param groups of the layer
 */
public record LayerReport(
    String layer, int inputDim, int outputDim, int groups, List<GroupReport> perGroup) {
  /**
   * One group of a layer.
   *
   * @param pi the ratio by which factored damping was split, NaN where the mode or convention has
   *     none
   * @param dampingA what was added to A, or, for exact damping, to the block
   * @param dampingG what was added to G; NaN for exact damping
   * @param status the outcome in words: {@code ok}, or what failed and what was done about it
   */
  public record GroupReport(double pi, double dampingA, double dampingG, String status) {}
}
