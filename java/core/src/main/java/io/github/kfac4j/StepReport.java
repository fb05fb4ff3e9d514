package io.github.kfac4j;

import java.util.List;

/**
 * What one call of {@link Kfac#precondition} did.
 *
 * @param step the number of preconditioned steps so far, this one included
 * @param innerProduct the sum over layers of {@code <U, dW>}, before clipping
 * @param clip what all of U was multiplied by: 1 if nothing was clipped, 0 in the burn-in
 * @param refreshed reports of the refresh that preceded this step, empty if there was none
 */
public record StepReport(
    long step, double innerProduct, double clip, List<LayerReport> refreshed) {}
