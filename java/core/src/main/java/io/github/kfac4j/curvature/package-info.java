/**
 * What an approximation of a layer's Fisher block is, and the state it keeps. A {@link
 * io.github.kfac4j.curvature.Curvature} declares which matrices a layer keeps, each a {@link
 * io.github.kfac4j.curvature.MatrixSpec} with a role, and does the three verbs for a batch of
 * layers. Allocation, saved states, dropped steps and adaptive intervals know roles only. Not
 * exported.
 */
package io.github.kfac4j.curvature;
