package io.github.kfac4j.cli.train.run;

import ai.djl.Model;
import io.github.kfac4j.InversionFailedException;
import io.github.kfac4j.KfacOptions;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.djl.DjlKfac;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.Map;

/**
 * Preconditions gradients by K-FAC with the empirical Fisher. It costs no extra backward pass, and
 * as its factors shrink with the gradients of the training labels it needs no bound on the step.
 */
final class KfacTransform implements GradientTransform {
  private final DjlKfac kfac;

  /** Listens to the model's layers until it is closed; the backend stays the caller's. */
  KfacTransform(Model model, RunOptions options, Backend backend) {
    KfacOptions settings = KfacOptions.DEFAULT.withDamping(options.damping());
    kfac = DjlKfac.attach(model, settings, Fisher.EMPIRICAL, backend);
  }

  @Override
  public void apply() {
    try {
      kfac.precondition();
    } catch (IllegalArgumentException | InversionFailedException e) {
      throw new TrainingFailedException("K-FAC: " + e.getMessage(), e);
    }
  }

  @Override
  public Map<String, StoredTensor> state() {
    return kfac.kfac().state().toTensors();
  }

  @Override
  public void restore(Map<String, StoredTensor> state) {
    kfac.kfac().state().restore(state);
  }

  @Override
  public void close() {
    kfac.close();
  }
}
