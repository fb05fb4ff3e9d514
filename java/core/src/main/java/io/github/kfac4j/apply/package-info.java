/**
 * K-FAC on stored tensors: what a program in any language has written of a batch, and of its
 * gradients, becomes factors and preconditioned gradients. {@link
 * io.github.kfac4j.apply.TensorStep} says how tensors are named.
 */
package io.github.kfac4j.apply;
