package io.github.kfac4j.data;

import io.github.kfac4j.data.LayerReport.GroupReport;
import java.util.ArrayList;
import java.util.List;

/**
 * What one call of {@code precondition} did.
 *
 * @param step the number of preconditioned steps so far, this one included
 * @param innerProduct the sum over layers of {@code <U, dW>}, before clipping
 * @param clip what all of U was multiplied by: 1 if nothing was clipped, 0 in the burn-in
 * @param refreshed reports of the refresh that preceded this step, empty if there was none
 * @param burnIn whether the step only gathered statistics: the gradients are zeros, and the update
 *     rule should be skipped, or its momentum and weight decay move the weights
 * @param plain layers whose gradients stayed as they were, because they have not been observed or
 *     not been refreshed yet: they have no part in the inner product and are not clipped
 */
public record StepReport(
    long step,
    double innerProduct,
    double clip,
    List<LayerReport> refreshed,
    boolean burnIn,
    List<String> plain) {

  /** The same with other reports of a refresh. */
  public StepReport withRefreshed(List<LayerReport> reports) {
    return new StepReport(step, innerProduct, clip, reports, burnIn, plain);
  }

  /** A line for each layer whose inversion needed a fallback; empty if none did. */
  public List<String> fallbacks() {
    List<String> lines = new ArrayList<>();
    for (LayerReport one : refreshed) {
      one.perGroup().stream()
          .map(GroupReport::status)
          .filter(
              status -> !status.equals(LayerReport.OK) && !status.equals(LayerReport.NOT_OBSERVED))
          .distinct()
          .map(status -> "K-FAC step %d, layer %s: ".formatted(step, one.layer()) + status)
          .forEach(lines::add);
    }
    return lines;
  }
}
