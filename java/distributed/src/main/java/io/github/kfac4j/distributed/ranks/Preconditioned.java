package io.github.kfac4j.distributed.ranks;

import java.util.List;

/**
 * The outcome of preconditioning.
 *
 * @param innerProduct the sum over layers of {@code <U, dW>}
 * @param plain layers whose gradients stayed as they were
 */
record Preconditioned(double innerProduct, List<String> plain) {}
