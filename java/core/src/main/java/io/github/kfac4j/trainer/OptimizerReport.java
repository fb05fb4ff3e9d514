package io.github.kfac4j.trainer;

/**
 * What one step of {@link KfacOptimizer} did.
 *
 * @param step counted from 1
 * @param learningRate alpha
 * @param momentum beta
 * @param damping lambda with the L2 coefficient
 * @param factorDamping what the factors were damped by; differs if they have a gamma of their own
 * @param predictedChange change of the loss that the quadratic model predicted; NaN where it was
 *     not asked for
 * @param ratio actual change of the loss over the predicted one; NaN where it was not measured
 */
public record OptimizerReport(
    long step,
    double learningRate,
    double momentum,
    double damping,
    double factorDamping,
    double predictedChange,
    double ratio) {}
