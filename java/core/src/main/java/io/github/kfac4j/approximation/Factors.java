package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.LayerCounters;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.MatrixSpec;
import io.github.kfac4j.curvature.MatrixSpec.Role;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.samples.PatchSamples;
import java.util.List;

/** The running averages A and G of layers. */
public final class Factors {
  public static final StateKey A = new StateKey("A");
  public static final StateKey G = new StateKey("G");

  private Factors() {}

  /** A, or something of its size. */
  static MatrixSpec input(StateKey key, Role role, Layer layer) {
    return new MatrixSpec(key, role, layer.groups(), layer.inputDim(), layer.inputDim());
  }

  /** G, or something of its size. */
  static MatrixSpec output(StateKey key, Role role, Layer layer) {
    return new MatrixSpec(key, role, layer.groups(), layer.outputDim(), layer.outputDim());
  }

  /** Sets new averages to what they start from. */
  static void initialize(LayerState state, Convention convention) {
    if (convention.startsFromIdentity()) {
      setToIdentity(state.stack(A));
      setToIdentity(state.stack(G));
      state.counters.factorWeight = 1;
    }
  }

  private static void setToIdentity(MatrixStack stack) {
    double[] elements = new double[stack.size()];
    int n = stack.rows();
    for (int k = 0; k < stack.count(); k++) {
      for (int i = 0; i < n; i++) {
        elements[(k * n + i) * n + i] = 1;
      }
    }
    stack.set(elements);
  }

  /**
   * {@code X = decay X + (1 - decay) X_batch} for the A and G of all batches. Several uses of a
   * layer are taken as further positions of its examples.
   */
  static void observe(Backend backend, List<Curvature.Batch> batches, KfacOptions options) {
    Averages.update(
        backend, batches, (averages, batch, use) -> addMoments(averages, batch, use, options));
    batches.stream()
        .filter(batch -> batch.part() != Curvature.Part.A)
        .forEach(batch -> observed(batch, options));
  }

  /** Counts a batch that went into the averages. */
  static void observed(Curvature.Batch batch, KfacOptions options) {
    LayerCounters counters = batch.state().counters;
    counters.positions = batch.positions();
    counters.observed(Role.OUTPUT_FACTOR, options.decay());
  }

  private static void addMoments(
      Averages averages, Curvature.Batch batch, int use, KfacOptions options) {
    Vectors vectors = (Vectors) batch.uses().get(use);
    Convention convention = options.convention();
    int n = batch.examples();
    int t = batch.positions();
    boolean convolution = vectors.a() instanceof PatchSamples;
    double fresh = 1 - options.decay();
    double decay = use == 0 ? options.decay() : 1;
    double aWeight = fresh * convention.inputWeight(n, t, convolution);
    double gWeight =
        fresh * convention.outputWeight(n, t, convolution) * batch.gScale() * batch.gScale();
    if (batch.part() != Curvature.Part.G) {
      averages.add(batch, A, decay, aWeight, vectors.a());
    }
    if (batch.part() != Curvature.Part.A) {
      averages.add(batch, G, decay, gWeight, vectors.g());
    }
  }

  /** What a raw running average is multiplied by to be free of the bias towards zero. */
  public static double debias(LayerState state) {
    return 1 / state.counters.factorWeight;
  }
}
