/**
 * What is passed in and out of K-FAC in a step: {@link io.github.kfac4j.data.Observation}s and
 * {@link io.github.kfac4j.data.LayerGradient}s in, {@link io.github.kfac4j.data.LayerReport}s and a
 * {@link io.github.kfac4j.data.StepReport} out, {@link io.github.kfac4j.data.LayerStatistics}
 * between ranks.
 */
package io.github.kfac4j.data;
