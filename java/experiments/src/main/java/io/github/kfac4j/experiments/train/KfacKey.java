package io.github.kfac4j.experiments.train;

import java.util.Locale;

/** The settings that {@code --kfac} has, in the order in which messages name them. */
public enum KfacKey {
  /** Which output gradients factors are made of. */
  FISHER,
  /** Of scaling. */
  CONVENTION,
  /** Factored or exact. */
  DAMPING_MODE,
  /** The approximation of fully connected layers behind a feature map. */
  FLATTENED,
  /** Of the averages of factors. */
  DECAY,
  /** Between renewals of factors and of inverses. */
  INTERVALS,
  /** The similarity that adaptive intervals look for. */
  STALE,
  /** Steps before the first inverses. */
  BURN_IN,
  /** Of each batch, for the factors. */
  EXAMPLES,
  /** Of a step. */
  MICRO_BATCHES,
  /** The method of inversion. */
  INVERSE,
  /** The bound on the step. */
  KL_CLIP,
  /** A schedule from another damping. */
  WARM_UP,
  /** Steps between adaptations by Levenberg-Marquardt. */
  LM,
  /** The least and the largest damping of that. */
  LM_BOUNDS,
  /** Steps between adaptations of the factors' damping. */
  GAMMA,
  /** Whether momentum comes before preconditioning. */
  MOMENTUM_FIRST,
  /** What momentum is made of. */
  MEMORY,
  /** What the exact quadratic model finds. */
  QUADRATIC,
  /** Whether weights are kept to a norm. */
  RESCALE,
  /** Of layers to ranks. */
  ASSIGNMENT,
  /** The part of the ranks that precondition each layer. */
  WORKERS,
  /** In which numbers travel between ranks. */
  PAYLOAD;

  /** As users write it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
