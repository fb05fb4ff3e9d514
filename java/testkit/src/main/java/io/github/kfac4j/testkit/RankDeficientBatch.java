package io.github.kfac4j.testkit;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.stream.IntStream;

/**
 * A batch of a dense layer that is wider than the batch, and the steps that its factors give in
 * exact arithmetic. Few examples span the range of the factors, whose eigenvectors follow from the
 * examples' inner products; everything else is null space.
 */
public final class RankDeficientBatch {
  /** What inputs look like. */
  public enum Inputs {
    GAUSSIAN,
    RELU,
    SPARSE,
    DEAD_COLUMNS,
    CONSTANT,
    SMALL,
    LARGE,
    COLUMNS_SCALED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /** Numbers that fp32 holds, {@code [examples, width]}. */
    public double[] draw(Random random, int examples, int width) {
      double[] column = random.doubles(width, 0, 1).toArray();
      double[] x = new double[examples * width];
      for (int i = 0; i < x.length; i++) {
        x[i] =
            this == CONSTANT && i >= width
                ? x[i - width]
                : (float) element(random, column[i % width]);
      }
      return x;
    }

    private double element(Random random, double column) {
      double x = random.nextGaussian();
      return switch (this) {
        case RELU -> Math.max(0, x);
        case SPARSE -> random.nextInt(10) == 0 ? x : 0;
        case DEAD_COLUMNS -> column < 0.5 ? 0 : x;
        case SMALL -> 1e-3 * x;
        case LARGE -> 1e3 * x;
        case COLUMNS_SCALED -> x * Math.pow(10, 6 * column - 3);
        default -> x;
      };
    }
  }

  /** Sizes of batches that tests take with each kind of inputs. */
  public static final List<Integer> EXAMPLES = List.of(1, 2, 3, 8, 32);

  /** Eigenvalues above zero of a factor, eigenvectors, and those of the Gram matrix. */
  private record Range(double[] values, double[] vectors, double[] gram) {
    int rank() {
      return values.length;
    }
  }

  private final Inputs inputs;
  public final int examples;
  public final int width;
  public final int outputs;
  public final double[] x;
  public final double[] g;
  private final Range ofA;
  private final Range ofG;

  /** Numbers that fp32 holds; output gradients have the size that a softmax gives. */
  private RankDeficientBatch(Inputs inputs, int examples, int width, int outputs, Random random) {
    this.inputs = inputs;
    this.examples = examples;
    this.width = width;
    this.outputs = outputs;
    this.x = inputs.draw(random, examples, width);
    this.g = Inputs.GAUSSIAN.draw(random, examples, outputs);
    Arrays.setAll(g, i -> (float) (0.1 * g[i]));
    this.ofA = range(x, examples, width);
    this.ofG = range(g, examples, outputs);
  }

  /** A batch of a layer of 33 outputs, the same at each call. */
  public static RankDeficientBatch of(Inputs inputs, int examples, int width) {
    Random random = new Random(100 * inputs.ordinal() + examples);
    return new RankDeficientBatch(inputs, examples, width, 33, random);
  }

  /** For example {@code 8 dead columns inputs, 120 -> 33}. */
  @Override
  public String toString() {
    return "%d %s inputs, %d -> %d".formatted(examples, inputs, width, outputs);
  }

  private static Range range(double[] rows, int count, int width) {
    double[] gram = mean(Literal.transpose(rows, count, width), width, count);
    Arrays.setAll(gram, i -> gram[i] * width / count);
    Jacobi eigen = Jacobi.of(gram, count);
    double most = Arrays.stream(eigen.values()).max().orElseThrow();
    int[] kept = indices(eigen.values(), 1e-13 * most);
    double[] values = Arrays.stream(kept).mapToDouble(k -> eigen.values()[k]).toArray();
    double[] p = new double[count * kept.length];
    Arrays.setAll(p, i -> eigen.vectors()[i / kept.length * count + kept[i % kept.length]]);
    double[] q =
        Literal.multiply(Literal.transpose(rows, count, width), p, width, count, kept.length);
    Arrays.setAll(q, i -> q[i] / Math.sqrt(count * values[i % kept.length]));
    return new Range(values, q, p);
  }

  private static int[] indices(double[] values, double least) {
    return IntStream.range(0, values.length).filter(k -> values[k] > least).toArray();
  }

  /** The mean of the outer products of a number of rows. */
  private static double[] mean(double[] rows, int count, int width) {
    double[] sum =
        Literal.multiply(Literal.transpose(rows, count, width), rows, width, count, width);
    Arrays.setAll(sum, i -> sum[i] / count);
    return sum;
  }

  public double[] factorA() {
    return mean(x, examples, width);
  }

  public double[] factorG() {
    return mean(g, examples, outputs);
  }

  /** The gradient of the mean loss, {@code g'x / N}. */
  public double[] gradient() {
    double[] dw =
        Literal.multiply(Literal.transpose(g, examples, outputs), x, outputs, examples, width);
    Arrays.setAll(dw, i -> dw[i] / examples);
    return dw;
  }

  /** The largest eigenvalue of the block. */
  public double most() {
    return Arrays.stream(ofA.values).max().orElseThrow()
        * Arrays.stream(ofG.values).max().orElseThrow();
  }

  /**
   * A step with any gradient: what lies along eigenvectors of G and A is divided by their damped
   * eigenvalue.
   *
   * @param damped eigenvalue of the block from those of G and A
   */
  public double[] step(DoubleBinaryOperator damped, double[] dw) {
    int rg = ofG.rank();
    int ra = ofA.rank();
    double[] left = Literal.multiply(t(ofG.vectors, outputs, rg), dw, rg, outputs, width);
    double[] both = Literal.multiply(left, ofA.vectors, rg, width, ra);
    double[] right = Literal.multiply(dw, ofA.vectors, outputs, width, ra);
    double[] nullA = minus(left, expandA(both, rg));
    double[] nullG = minus(right, expandG(both, ra));
    double[] neither = minus(minus(dw, expandG(left, width)), expandA(nullG, outputs));
    Arrays.setAll(nullA, i -> nullA[i] / damped.applyAsDouble(ofG.values[i / width], 0));
    Arrays.setAll(nullG, i -> nullG[i] / damped.applyAsDouble(0, ofA.values[i % ra]));
    Arrays.setAll(neither, i -> neither[i] / damped.applyAsDouble(0, 0));
    double[] u = inRange(damped, both);
    double[] beside = expandG(nullA, width);
    double[] below = expandA(nullG, outputs);
    Arrays.setAll(u, i -> u[i] + beside[i] + below[i] + neither[i]);
    return u;
  }

  /** The step with {@link #gradient}, which has no part in the null spaces at all. */
  public double[] gradientStep(DoubleBinaryOperator damped) {
    int ra = ofA.rank();
    double[] both =
        Literal.multiply(t(ofG.gram, examples, ofG.rank()), ofA.gram, ofG.rank(), examples, ra);
    Arrays.setAll(both, i -> both[i] * Math.sqrt(ofG.values[i / ra] * ofA.values[i % ra]));
    return inRange(damped, both);
  }

  private double[] inRange(DoubleBinaryOperator damped, double[] both) {
    int ra = ofA.rank();
    double[] divided = both.clone();
    Arrays.setAll(
        divided, i -> both[i] / damped.applyAsDouble(ofG.values[i / ra], ofA.values[i % ra]));
    return expandG(expandA(divided, ofG.rank()), width);
  }

  private double[] expandA(double[] m, int rows) {
    int ra = ofA.rank();
    return Literal.multiply(m, t(ofA.vectors, width, ra), rows, ra, width);
  }

  private double[] expandG(double[] m, int cols) {
    return Literal.multiply(ofG.vectors, m, outputs, ofG.rank(), cols);
  }

  private static double[] minus(double[] a, double[] b) {
    double[] difference = a.clone();
    Arrays.setAll(difference, i -> a[i] - b[i]);
    return difference;
  }

  private static double[] t(double[] m, int rows, int cols) {
    return Literal.transpose(m, rows, cols);
  }
}
