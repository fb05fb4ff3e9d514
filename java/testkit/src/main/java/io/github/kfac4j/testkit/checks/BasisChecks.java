package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.testkit.Fixtures;
import java.util.List;
import java.util.Random;

/** Second moments of per-example gradients in a Kronecker basis. */
final class BasisChecks {
  private static final String VERB = "accumulateInBasis";
  private static final Tolerance TOLERANCE = new Tolerance(256 * Fixtures.U, 1e-11);

  private final Comparison comparison;

  BasisChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    for (BasisForm form : BasisForm.values()) {
      moments(
          "30 vectors, 30 x 21",
          form,
          new RowSamples(null, 30, 1, 1, 30, false),
          new RowSamples(null, 30, 1, 1, 20, true));
      moments(
          "8 x 5 vectors, 13 x 33",
          form,
          new RowSamples(null, 8, 5, 1, 13, false),
          new RowSamples(null, 8, 5, 1, 32, true));
      moments(
          "groups 2, 3x3 kernel on 6x5 images",
          form,
          new ChannelSamples(null, 5, 30, 2, 3),
          new PatchSamples(
              null, 5, 4, 6, 5, ImageLayout.NCHW, Window.of(3, 3).withPadding(1, 1), 2, true));
      if (extent.networks()) {
        moments(
            "Fashion-MNIST CNN, dense 2",
            form,
            new RowSamples(null, 32, 1, 1, 10, false),
            new RowSamples(null, 32, 1, 1, 1024, true));
      }
      List<PatchSamples> grouped = Shapes.sweep(ImageLayout.NCHW, 2);
      for (int i = 0; i < grouped.size(); i += 5) {
        PatchSamples a = grouped.get(i);
        Samples g = new ChannelSamples(null, a.examples(), a.positions(), 2, 5);
        moments("groups 2, " + Shapes.describe(a.window()), form, g, a);
      }
      PatchSamples last = Shapes.sweep(ImageLayout.NHWC, 1).get(17);
      Samples g = new RowSamples(null, last.examples(), last.positions(), 1, 7, false);
      moments("NHWC, " + Shapes.describe(last.window()), form, g, last);
    }
  }

  private void moments(String name, BasisForm form, Samples g, Samples a) {
    String what = name + ", " + form;
    Random random = comparison.random(VERB, what);
    int groups = a.groups();
    int rows = g.dim();
    int cols = a.dim();
    double[] grads = Fixtures.gaussian(random, Shapes.size(g));
    double[] inputs = Fixtures.gaussian(random, Shapes.size(a));
    double[] qg = form.random(random, groups, rows);
    double[] qa = form.random(random, groups, cols);
    double[] before = Fixtures.gaussian(random, groups * rows * cols);
    comparison.check(
        VERB,
        what,
        TOLERANCE,
        side -> {
          MatrixStack target = side.stack(groups, rows, cols, before);
          side.backend()
              .accumulateInBasis(
                  List.of(
                      new BasisAccumulateRequest(
                          target,
                          0.5,
                          0.5 / a.examples(),
                          Shapes.with(g, side.tensor(grads)),
                          Shapes.with(a, side.tensor(inputs)),
                          form.basis(side, groups, rows, qg),
                          form.basis(side, groups, cols, qa))));
          return target.toArray();
        });
  }
}
