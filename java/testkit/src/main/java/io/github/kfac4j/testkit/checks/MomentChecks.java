package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.ChannelSamples;
import io.github.kfac4j.backend.ImageLayout;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PatchSamples;
import io.github.kfac4j.backend.RowSamples;
import io.github.kfac4j.backend.Samples;
import io.github.kfac4j.testkit.Fixtures;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Patches and second moments. */
final class MomentChecks {
  private static final double TOLERANCE = 64 * Fixtures.U;

  /** Patches are written out for comparison up to this many elements. */
  private static final long MAX_PATCHES = 4_000_000;

  private final Comparison comparison;

  MomentChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    for (ImageLayout layout : ImageLayout.values()) {
      for (int groups : new int[] {1, 2, 6}) {
        sweep("27 convolutions 3x2, groups %d, %s".formatted(groups, layout), layout, groups);
      }
    }
    moment("1 vector of 1", new RowSamples(null, 1, 1, 1, 1, false));
    moment("600 vectors of 33", new RowSamples(null, 600, 1, 1, 33, true));
    moment("5 x 4 vectors of 3 groups of 2", new RowSamples(null, 5, 4, 3, 2, false));
    moment("3 x 20 vectors of 13 channels", new ChannelSamples(null, 3, 20, 1, 13));
    moment("2 x 49 vectors of 4 groups of 16", new ChannelSamples(null, 2, 49, 4, 16));
    if (extent.networks()) {
      networks();
    }
    if (extent.large()) {
      Shapes.resnet50().forEach(c -> convolution(c.name(), c.samples()));
      moment("ResNet-50, dense", new RowSamples(null, 256, 1, 1, 2048, true));
      moment("ResNet-50, gradient on 7x7", new ChannelSamples(null, 8, 49, 1, 2048));
    }
  }

  private void networks() {
    Shapes.single().forEach(c -> convolution(c.name(), c.samples()));
    Shapes.fashionMnist().forEach(c -> convolution(c.name(), c.samples()));
    moment("64 vectors of 207", new RowSamples(null, 64, 1, 1, 207, true));
    moment("Fashion-MNIST CNN, dense 1", new RowSamples(null, 32, 1, 1, 3136, true));
    moment("Fashion-MNIST CNN, dense 2", new RowSamples(null, 256, 1, 1, 1024, true));
    moment("Fashion-MNIST CNN, gradient 1", new ChannelSamples(null, 32, 784, 1, 32));
    moment("Fashion-MNIST CNN, gradient 2", new ChannelSamples(null, 32, 196, 1, 64));
  }

  /** All convolutions of a sweep: one row of the table, and one call for all moments. */
  private void sweep(String what, ImageLayout layout, int groups) {
    List<PatchSamples> shapes = Shapes.sweep(layout, groups);
    Random random = comparison.random("sweep", what);
    List<double[]> images =
        shapes.stream().map(s -> Fixtures.gaussian(random, Shapes.size(s))).toList();
    comparison.check(
        "patches",
        what,
        0,
        side -> {
          List<MatrixStack> targets = new ArrayList<>();
          for (int i = 0; i < shapes.size(); i++) {
            targets.add(patches(side, shapes.get(i), images.get(i)));
          }
          return elements(targets);
        });
    comparison.check(
        "accumulate",
        what,
        TOLERANCE,
        side -> {
          List<AccumulateRequest> moments = new ArrayList<>();
          for (int i = 0; i < shapes.size(); i++) {
            moments.add(moment(side, shapes.get(i), images.get(i)));
          }
          side.backend().accumulate(moments);
          return elements(moments.stream().map(AccumulateRequest::target).toList());
        });
  }

  private static double[] elements(List<MatrixStack> stacks) {
    return stacks.stream().flatMapToDouble(s -> Arrays.stream(s.toArray())).toArray();
  }

  private void convolution(String what, PatchSamples shape) {
    if (shape.groups() * shape.rows() * shape.dim() <= MAX_PATCHES) {
      double[] images = Fixtures.gaussian(comparison.random("patches", what), Shapes.size(shape));
      comparison.check("patches", what, 0, side -> patches(side, shape, images).toArray());
    }
    moment(what, shape);
  }

  private static MatrixStack patches(Side side, PatchSamples shape, double[] images) {
    PatchSamples samples = Shapes.with(shape, side.tensor(images));
    MatrixStack target = side.zeros(samples.groups(), (int) samples.rows(), samples.dim());
    side.backend().patches(samples, target);
    return target;
  }

  private void moment(String what, Samples shape) {
    double[] data = Fixtures.gaussian(comparison.random("accumulate", what), Shapes.size(shape));
    comparison.check(
        "accumulate",
        what,
        TOLERANCE,
        side -> {
          AccumulateRequest moment = moment(side, shape, data);
          side.backend().accumulate(List.of(moment));
          return moment.target().toArray();
        });
  }

  /** Half of the identity and half of the mean: neither hides an error in the other. */
  private static AccumulateRequest moment(Side side, Samples shape, double[] data) {
    int n = shape.dim();
    double[] identity = new double[shape.groups() * n * n];
    for (int i = 0; i < shape.groups() * n; i++) {
      identity[i * n + i % n] = 1;
    }
    MatrixStack target = side.stack(shape.groups(), n, n, identity);
    return new AccumulateRequest(
        target, 0.5, 0.5 / shape.rows(), Shapes.with(shape, side.tensor(data)));
  }
}
