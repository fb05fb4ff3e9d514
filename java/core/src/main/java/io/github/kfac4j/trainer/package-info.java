/**
 * What surrounds preconditioning in a step, whatever the framework: its passes, and learning rate,
 * momentum, weight decay and damping.
 *
 * <p>{@link io.github.kfac4j.trainer.TrainingStep} is the half of an adapter that is the same for
 * all frameworks. An adapter captures what layers see as a {@link
 * io.github.kfac4j.trainer.TrainingPass} and gives access to gradients by {@link
 * io.github.kfac4j.trainer.ModelGradients}.
 *
 * <p>Trainers bring an update rule of their own, and {@link io.github.kfac4j.Kfac} alone does for
 * them. {@link io.github.kfac4j.trainer.KfacOptimizer} is for what such a rule cannot do, because
 * it must see weights, gradients and the loss of the batch together: momentum before
 * preconditioning, L2 in the damping, damping that follows the reduction ratio, a learning rate and
 * momentum that minimise the quadratic model. With g the gradient, U the preconditioned one and W
 * the weights:
 *
 * <pre>
 * g += eta W                       if weight decay is L2, and eta is added to the damping
 * U = (F + lambda I)^-1 g          clipped; or of v = beta v + g, if momentum comes first
 * v = beta v + U                   unless momentum came first
 * W -= alpha (v + wd W)            wd if weight decay is decoupled
 * </pre>
 */
package io.github.kfac4j.trainer;
