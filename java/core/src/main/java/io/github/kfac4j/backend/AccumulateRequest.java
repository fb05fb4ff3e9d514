package io.github.kfac4j.backend;

import io.github.kfac4j.samples.Samples;

/**
 * One update of a running second moment, for each group {@code k}:
 *
 * <pre>target[k] = decay * target[k] + weight * (sum over rows x of group k of x x')</pre>
 *
 * @param target {@code [groups, dim, dim]}, symmetric on entry and, exactly, on return
 * @param decay what remains of the old value; 0 overwrites, whatever was there
 * @param weight the weight of the new sum
 * @param samples the vectors x
 */
public record AccumulateRequest(MatrixStack target, double decay, double weight, Samples samples) {}
