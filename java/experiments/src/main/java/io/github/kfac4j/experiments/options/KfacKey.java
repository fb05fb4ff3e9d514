package io.github.kfac4j.experiments.options;

import java.util.Locale;

/** The settings that {@code --kfac} has, in the order in which messages name them. */
public enum KfacKey {
  /** The Fisher estimator: which output gradients the factors are made of. */
  FISHER,
  /** The scaling convention. */
  CONVENTION,
  /** How damping enters: factored or exact. */
  DAMPING_MODE,
  /** The approximation of fully connected layers behind a feature map. */
  FLATTENED,
  /** The decay of the running averages of the factors. */
  DECAY,
  /** The intervals between renewals of factors and of inverses. */
  INTERVALS,
  /** The similarity that adaptive intervals look for. */
  STALE,
  /** Steps before the first inverses. */
  BURN_IN,
  /** How many examples of each batch go into the factors. */
  EXAMPLES,
  /** The number of micro-batches of a step. */
  MICRO_BATCHES,
  /** The method of inversion. */
  INVERSE,
  /** The KL clip, a bound on the step. */
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
  /** What momentum accumulates. */
  MEMORY,
  /** What is found by the exact quadratic model. */
  QUADRATIC,
  /** Whether weights are kept to a norm. */
  RESCALE,
  /** How layers are assigned to ranks. */
  ASSIGNMENT,
  /** The part of the ranks that precondition each layer. */
  WORKERS,
  /** The format of numbers sent between ranks. */
  PAYLOAD;

  /** As users write it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
