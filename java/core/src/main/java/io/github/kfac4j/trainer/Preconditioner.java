package io.github.kfac4j.trainer;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.options.KfacOptions;
import java.util.List;

/**
 * What stands between gradients and update: K-FAC on the gradients that the optimizer was given.
 */
public interface Preconditioner {
  /** When inverses are renewed. */
  enum Refresh {
    /** As their interval says. */
    WHEN_DUE,
    /** In this step, due or not. */
    NOW
  }

  /**
   * Replaces the gradients by preconditioned ones and ends the step.
   *
   * @param damping for inverses that are due
   * @param learningRate for the KL clip
   * @param refresh when inverses are renewed
   */
  void precondition(double damping, double learningRate, Refresh refresh);

  /** Replaces the gradients by those of a damping that is tried; the step continues. */
  void preview(double damping);

  /**
   * K-FAC whose factors the caller observes.
   *
   * @param gradients views of the gradients that {@link KfacOptimizer#step} is given
   */
  static Preconditioner of(Kfac kfac, List<LayerGradient> gradients) {
    return new Preconditioner() {
      @Override
      public void precondition(double damping, double learningRate, Refresh refresh) {
        kfac.reconfigure(settings(kfac.options(), damping, learningRate));
        if (refresh == Refresh.NOW || kfac.wantsRefresh()) {
          kfac.refresh();
        }
        kfac.precondition(gradients);
      }

      @Override
      public void preview(double damping) {
        kfac.reconfigure(kfac.options().withDamping(damping));
        kfac.refresh();
        kfac.preview(gradients);
      }
    };
  }

  /** Settings with another damping and, where it is positive, another learning rate. */
  static KfacOptions settings(KfacOptions options, double damping, double learningRate) {
    KfacOptions changed = options.withDamping(damping);
    return learningRate > 0 ? changed.withLearningRate(learningRate) : changed;
  }
}
