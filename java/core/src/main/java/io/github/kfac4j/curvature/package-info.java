/**
 * What approximates the Fisher block of a layer. A {@link io.github.kfac4j.curvature.Curvature}
 * declares which matrices a layer keeps, each a {@link io.github.kfac4j.curvature.MatrixSpec} with
 * a role, and does the three verbs for a batch of layers; {@link io.github.kfac4j.curvature.Blocks}
 * lists all of them. Allocation, saved states, dropped steps and adaptive intervals know roles
 * only. Not exported.
 */
package io.github.kfac4j.curvature;
