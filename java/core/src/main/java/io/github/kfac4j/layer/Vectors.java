package io.github.kfac4j.layer;

import io.github.kfac4j.samples.JointSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.tensor.HostTensor;
import java.util.List;

/**
 * A use of a layer whose gradient is a sum of outer products: that of example n is the sum over
 * positions t of {@code g_nt a_nt'}, group by group.
 *
 * @param a the vectors of the factor A, the bias coordinate last
 * @param g the vectors of the factor G
 * @param examples N; the rows of one lie together only if both factors' vectors have as many
 */
public record Vectors(Samples a, Samples g, int examples) implements Use {
  /**
   * Checks that both were seen at the same places.
   *
   * @throws IllegalArgumentException if numbers of examples or positions differ
   */
  public Vectors {
    if (a.examples() != g.examples() || a.positions() != g.positions()) {
      throw new IllegalArgumentException(
          "an input %s gives %d examples of %d positions, but the output gradient %s has %d of %d"
              .formatted(
                  place(a), a.examples(), a.positions(), place(g), g.examples(), g.positions()));
    }
  }

  /** As many examples as the vectors tell of themselves. */
  public Vectors(Samples a, Samples g) {
    this(a, g, a.examples());
  }

  private static String place(Samples samples) {
    return samples instanceof JointSamples
        ? "of several uses"
        : "of shape " + samples.data().shape();
  }

  /** Several uses as one, at the positions of all of them in turn. */
  public static Vectors join(List<Vectors> uses) {
    return uses.size() == 1
        ? uses.get(0)
        : new Vectors(
            joint(uses.stream().map(Vectors::a).toList()),
            joint(uses.stream().map(Vectors::g).toList()),
            uses.get(0).examples);
  }

  private static Samples joint(List<Samples> uses) {
    boolean rows =
        uses.stream().allMatch(u -> u instanceof RowSamples && u.data() instanceof HostTensor);
    return rows ? rows(uses) : new JointSamples(uses);
  }

  /** Rows are few enough to be copied, and every backend knows them. */
  private static RowSamples rows(List<Samples> uses) {
    RowSamples first = (RowSamples) uses.get(0);
    int positions = uses.stream().mapToInt(Samples::positions).sum();
    int width = first.groups() * first.width();
    double[] joined = new double[first.examples() * positions * width];
    int at = 0;
    for (int n = 0; n < first.examples(); n++) {
      for (Samples use : uses) {
        int size = use.positions() * width;
        ((HostTensor) use.data()).read(n * size, joined, at, size);
        at += size;
      }
    }
    HostTensor data = HostTensor.of(joined, first.examples(), positions, width);
    return new RowSamples(
        data, first.examples(), positions, first.groups(), first.width(), first.bias());
  }

  @Override
  public int positions() {
    return Batches.positions(a.rows(), examples);
  }

  @Override
  public Vectors of(int count) {
    Batches.positions(a.rows(), count);
    return new Vectors(a, g, count);
  }
}
