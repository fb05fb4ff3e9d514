package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.checks.Comparison.demand;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Patches and second moments. */
final class MomentChecks {
  private static final String VERB = "accumulate";
  private static final Tolerance TOLERANCE = Tolerance.roundings(50);

  /** Patches are written out for comparison up to this many elements. */
  private static final long MAX_PATCHES = 4_000_000;

  private final Comparison comparison;

  MomentChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    laws();
    for (ImageLayout layout : ImageLayout.values()) {
      for (int groups : new int[] {1, 2, 6}) {
        sweep("27 convolutions 3x2, groups %d, %s".formatted(groups, layout), layout, groups);
      }
    }
    Shapes.single().forEach(c -> convolution(c.name(), c.samples()));
    moment("1 vector of 1", new RowSamples(null, 1, 1, 1, 1, false));
    moment("1 vector of 13 and bias", new RowSamples(null, 1, 1, 1, 13, true));
    moment("600 vectors of 33", new RowSamples(null, 600, 1, 1, 33, true));
    moment("7 x 3 vectors of 64", new RowSamples(null, 7, 3, 1, 64, true));
    moment("5 x 4 vectors of 3 groups of 2", new RowSamples(null, 5, 4, 3, 2, false));
    moment("1 vector of 1 channel", new ChannelSamples(null, 1, 1, 1, 1));
    moment("3 x 20 vectors of 13 channels", new ChannelSamples(null, 3, 20, 1, 13));
    moment("2 x 49 vectors of 4 groups of 16", new ChannelSamples(null, 2, 49, 4, 16));
    moment("33 vectors of 2 groups of 5 channels", new ChannelSamples(null, 33, 1, 2, 5));
    moment("2 x 700 vectors of 3 channels", new ChannelSamples(null, 2, 700, 1, 3));
    if (extent.has(207)) {
      moment("64 vectors of 207", new RowSamples(null, 64, 1, 1, 207, true));
    }
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
    Shapes.deep().forEach(c -> convolution(c.name(), c.samples()));
    Shapes.fashionMnist().forEach(c -> convolution(c.name(), c.samples()));
    moment("Fashion-MNIST CNN, dense 1", new RowSamples(null, 32, 1, 1, 3136, true));
    moment("Fashion-MNIST CNN, dense 2", new RowSamples(null, 256, 1, 1, 1024, true));
    moment("Fashion-MNIST CNN, gradient 1", new ChannelSamples(null, 32, 784, 1, 32));
    moment("Fashion-MNIST CNN, gradient 2", new ChannelSamples(null, 32, 196, 1, 64));
  }

  private void laws() {
    double[] data = Fixtures.gaussian(comparison.random(VERB, "kinds"), 20 * 13);
    comparison.law(
        VERB,
        "tensors on the heap and in fp64 are read alike",
        side -> {
          double[] direct = moment(side, Fixtures.direct(data, 20, 13));
          float[] floats = new float[data.length];
          for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) data[i];
          }
          double[] heap = moment(side, HostTensor.of(floats, 20, 13));
          double[] doubles = moment(side, HostTensor.of(data, 20, 13));
          demand(Arrays.equals(heap, direct), "fp32 on the heap differs");
          demand(Arrays.equals(doubles, direct), "fp64 differs");
        });
    comparison.law(
        VERB,
        "a decay of zero overwrites whatever was there",
        side -> {
          MatrixStack target = side.stack(1, 2, 2, new double[] {Double.NaN, 1, Double.NaN, 1e30});
          RowSamples rows = new RowSamples(side.tensor(new double[] {1, 2}), 1, 1, 1, 2, false);
          side.backend().accumulate(List.of(new AccumulateRequest(target, 0, 1, rows)));
          double[] moment = target.toArray();
          demand(Arrays.equals(moment, new double[] {1, 2, 2, 4}), "%s", Arrays.toString(moment));
        });
    comparison.law(
        VERB,
        "many at once are to the bit what one by one are",
        side -> {
          List<AccumulateRequest> together = new ArrayList<>();
          List<AccumulateRequest> alone = new ArrayList<>();
          for (int n : new int[] {1, 2, 13, 64, 207}) {
            double[] rows = Fixtures.gaussian(new Random(n), 40 * n);
            RowSamples samples = new RowSamples(side.tensor(rows), 40, 1, 1, n, n % 2 == 0);
            for (List<AccumulateRequest> list : List.of(together, alone)) {
              MatrixStack target = side.zeros(1, samples.dim(), samples.dim());
              list.add(new AccumulateRequest(target, 0, 0.1, samples));
            }
          }
          side.backend().accumulate(together);
          alone.forEach(one -> side.backend().accumulate(List.of(one)));
          for (int i = 0; i < alone.size(); i++) {
            double[] one = alone.get(i).target().toArray();
            demand(Arrays.equals(together.get(i).target().toArray(), one), "request %d differs", i);
          }
        });
  }

  private static double[] moment(Side side, HostTensor rows) {
    MatrixStack target = side.zeros(1, 13, 13);
    RowSamples samples = new RowSamples(rows, 20, 1, 1, 13, false);
    side.backend().accumulate(List.of(new AccumulateRequest(target, 0, 1, samples)));
    return target.toArray();
  }

  /** All convolutions of a sweep: one row of the table, and one call for all moments. */
  private void sweep(String what, ImageLayout layout, int groups) {
    List<PatchSamples> shapes = Shapes.sweep(layout, groups);
    Random random = comparison.random("sweep", what);
    List<double[]> images =
        shapes.stream().map(s -> Fixtures.gaussian(random, Shapes.size(s))).toList();
    comparison.checkEach(
        "patches",
        what,
        Tolerance.EXACT,
        side -> {
          List<double[]> patches = new ArrayList<>();
          for (int i = 0; i < shapes.size(); i++) {
            patches.add(patches(side, shapes.get(i), images.get(i)));
          }
          return patches;
        });
    List<double[]> before =
        shapes.stream().map(s -> Shapes.symmetric(random, s.groups(), s.dim())).toList();
    comparison.checkEach(
        VERB,
        what,
        TOLERANCE,
        side -> {
          List<AccumulateRequest> moments = new ArrayList<>();
          for (int i = 0; i < shapes.size(); i++) {
            moments.add(moment(side, shapes.get(i), images.get(i), before.get(i)));
          }
          side.backend().accumulate(moments);
          return moments.stream().map(MomentChecks::result).toList();
        });
  }

  private void convolution(String what, PatchSamples shape) {
    if (shape.groups() * shape.rows() * shape.dim() <= MAX_PATCHES) {
      double[] images = Fixtures.gaussian(comparison.random("patches", what), Shapes.size(shape));
      comparison.check("patches", what, Tolerance.EXACT, side -> patches(side, shape, images));
    }
    moment(what, shape);
  }

  private static double[] patches(Side side, PatchSamples shape, double[] images) {
    PatchSamples samples = Shapes.with(shape, side.tensor(images));
    MatrixStack target = side.zeros(samples.groups(), (int) samples.rows(), samples.dim());
    side.backend().patches(samples, target);
    return target.toArray();
  }

  private void moment(String what, Samples shape) {
    Random random = comparison.random(VERB, what);
    double[] data = Fixtures.gaussian(random, Shapes.size(shape));
    double[] before = Shapes.symmetric(random, shape.groups(), shape.dim());
    comparison.check(
        VERB,
        what,
        TOLERANCE,
        side -> {
          AccumulateRequest moment = moment(side, shape, data, before);
          side.backend().accumulate(List.of(moment));
          return result(moment);
        });
  }

  /** Three quarters of what was there and half the mean: neither hides an error in the other. */
  private static AccumulateRequest moment(
      Side side, Samples shape, double[] data, double[] before) {
    MatrixStack target = side.stack(shape.groups(), shape.dim(), shape.dim(), before);
    Samples samples = Shapes.with(shape, side.tensor(data));
    return new AccumulateRequest(target, 0.75, 0.5 / shape.rows(), samples);
  }

  private static double[] result(AccumulateRequest moment) {
    double[] result = moment.target().toArray();
    boolean symmetric = Arrays.equals(Literal.symmetric(result, moment.target().rows()), result);
    demand(symmetric, "not symmetric to the bit");
    return result;
  }
}
