package io.github.kfac4j.trainer;

/**
 * What one step of {@link KfacOptimizer} did.
 *
 * @param step counted from 1
 * @param learningRate alpha
 * @param momentum beta
 * @param damping lambda with the L2 coefficient
 * @param factorDamping what the factors were damped by; differs if they have a gamma of their own
 * @param foretold change of the loss by the quadratic model; NaN where it was not asked for
 * @param ratio change of the loss by what was foretold; NaN where it was not measured
 */
public record OptimizerReport(
    long step,
    double learningRate,
    double momentum,
    double damping,
    double factorDamping,
    double foretold,
    double ratio) {}
