/**
 * One call of a verb: where its tensors, stacks and samples lie on the device, and the kernels that
 * it runs.
 */
package io.github.kfac4j.cuda.calls;
