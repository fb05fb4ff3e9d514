package io.github.kfac4j.cuda;

/**
 * What an enqueued step tells.
 *
 * @param inner the inner product of U and dW
 * @param lossy whether U may be further off than {@link
 *     io.github.kfac4j.backend.StepAccuracy#BOUND}: {@link CudaBackend#precondition} would have
 *     formed it again in fp64
 */
public record EnqueuedStep(double inner, boolean lossy) {}
