package io.github.kfac4j.experiments.curvature;

import java.util.List;

/**
 * The curvature of the loss after some steps.
 *
 * @param step how many
 * @param loss mean of the batch of the last step
 * @param layers those that K-FAC preconditions
 */
public record CurvatureSnapshot(long step, double loss, List<LayerCurvature> layers) {}
