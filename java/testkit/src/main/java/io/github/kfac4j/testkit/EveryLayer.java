package io.github.kfac4j.testkit;

import static io.github.kfac4j.testkit.Fixtures.gaussian;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.layer.ScaleShift.Structure;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;

/** A network with every kind of layer, three of them used twice, and random steps of it. */
public final class EveryLayer {
  /** Without decay, and with inverses at every step. */
  public static final KfacOptions OPTIONS = KfacOptions.DEFAULT.withDecay(0).withIntervals(1, 1);

  private EveryLayer() {}

  public static Map<String, Layer> layers() {
    Map<String, Layer> layers = new LinkedHashMap<>();
    layers.put("fc", new Dense(4, 3, true));
    layers.put("flat", new FlattenedDense(3, 2, 2, true, false));
    layers.put("line", new Conv1d(2, 3, Conv1d.window(2, 1, 0, 1), 1, true));
    Window window = Window.of(2, 2).withStride(2, 2);
    layers.put("up", new ConvTranspose2d(2, 2, window, 1, true));
    layers.put("norm", ScaleShift.of(3));
    layers.put("full", new ScaleShift(3, Structure.FULL, true, false, 2));
    layers.put("table", new Embedding(5, 3));
    return layers;
  }

  /** Observes, refreshes if due, and returns the preconditioned gradients. */
  public static double[][] step(Kfac kfac, Random random) {
    kfac.observe(observations(random));
    if (kfac.wantsRefresh()) {
      kfac.refresh();
    }
    List<LayerGradient> gradients = gradients(random);
    kfac.precondition(gradients);
    return values(gradients);
  }

  /** What gradients hold, as copies. */
  public static double[][] values(List<LayerGradient> gradients) {
    return gradients.stream()
        .flatMap(gradient -> Stream.of(gradient.weight(), gradient.bias()))
        .filter(Objects::nonNull)
        .map(tensor -> ((HostTensor) tensor).toArray())
        .toArray(double[][]::new);
  }

  /** What all layers see in a batch of 6 examples. */
  public static List<Observation> observations(Random random) {
    List<Observation> batch = new ArrayList<>();
    batch.add(observation(random, "fc", new int[] {6, 4}, new int[] {6, 3}));
    batch.add(observation(random, "fc", new int[] {6, 4}, new int[] {6, 3}));
    batch.add(observation(random, "flat", new int[] {6, 3, 1, 2}, new int[] {6, 2}));
    batch.add(observation(random, "line", new int[] {6, 2, 4}, new int[] {6, 3, 3}));
    batch.add(observation(random, "line", new int[] {6, 2, 3}, new int[] {6, 3, 2}));
    batch.add(observation(random, "up", new int[] {6, 2, 2, 2}, new int[] {6, 2, 4, 4}));
    batch.add(observation(random, "norm", new int[] {6, 3, 2}, new int[] {6, 3, 2}));
    batch.add(observation(random, "full", new int[] {6, 3}, new int[] {6, 3}));
    double[] ids = random.ints(6, 0, 5).asDoubleStream().toArray();
    HostTensor g = HostTensor.of(gaussian(random, 18), 6, 3);
    batch.add(Observation.ofSumLoss("table", HostTensor.of(ids, 6), g));
    batch.add(observation(random, "table", new int[] {6, 3}, new int[] {6, 5}));
    return batch;
  }

  /** Gradients of all layers. */
  public static List<LayerGradient> gradients(Random random) {
    List<LayerGradient> gradients = new ArrayList<>();
    layers()
        .forEach(
            (name, layer) -> {
              HostTensor weight = tensor(random, extents(layer.weightShape()));
              HostTensor bias = layer.bias() ? tensor(random, extents(layer.biasShape())) : null;
              gradients.add(new LayerGradient(name, weight, bias));
            });
    return gradients;
  }

  private static int[] extents(Shape shape) {
    int[] extents = new int[shape.rank()];
    Arrays.setAll(extents, shape::get);
    return extents;
  }

  private static Observation observation(Random random, String name, int[] in, int[] out) {
    return Observation.ofSumLoss(name, tensor(random, in), tensor(random, out));
  }

  private static HostTensor tensor(Random random, int... shape) {
    int size = 1;
    for (int extent : shape) {
      size *= extent;
    }
    return HostTensor.of(gaussian(random, size), shape);
  }

  /** Layers that do not have the approximation have Kronecker factors. */
  public static Kfac kfac(Backend backend, Approximation approximation, KfacOptions base) {
    KfacOptions options =
        approximation == Approximation.DOUBLY_FACTORED
            ? base.withApproximation("flat", approximation)
            : base.withApproximation(approximation)
                .withApproximation("table", Approximation.KRONECKER);
    return new Kfac(backend, layers(), options);
  }
}
