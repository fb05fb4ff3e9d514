package io.github.kfac4j.fisher;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Which output gradients the factors are made of (Kunstner, Balles and Hennig 2019 compare them).
 *
 * <p>All but the {@link #EMPIRICAL} Fisher take extra backward passes, which start at the network's
 * outputs from what {@link #outputGradient} gives, and each of which is observed:
 *
 * <pre>{@code
 * int passes = fisher.passes(outputs.shape());
 * for (int pass = 0; pass < passes; pass++) {
 *   fisher.outputGradient(outputs, step, pass, gradient);
 *   // back-propagate the gradient; each Observation has the outputGradScale sqrt(passes)
 *   kfac.observe(observations, Share.ALL.ofPass(pass, passes));
 * }
 * }</pre>
 *
 * @param estimator how the Fisher is estimated
 * @param loss the distribution at the outputs; the empirical Fisher does not ask for it
 * @param seed of what is drawn
 */
public record Fisher(Estimator estimator, OutputLoss loss, long seed) {
  /** Ways to estimate the Fisher. */
  public enum Estimator {
    /** Gradients for the labels of the data. */
    EMPIRICAL("empirical"),
    /** Gradients for targets drawn from the network's prediction. */
    MONTE_CARLO("mc"),
    /** Every output in turn, weighted by the root of its probability. */
    EXACT("exact"),
    /** Random signs through a square root of the outputs' Fisher. */
    CURVATURE_PROPAGATION("curvature-prop");

    private final String id;

    Estimator(String id) {
      this.id = id;
    }

    /** The name as written in configurations, for example {@code mc}. */
    public String id() {
      return id;
    }

    /**
     * The estimator with the given {@link #id}.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Estimator of(String id) {
      return Arrays.stream(values())
          .filter(estimator -> estimator.id.equals(id))
          .findFirst()
          .orElseThrow(
              () ->
                  new IllegalArgumentException(
                      "unknown fisher '%s'; known are %s"
                          .formatted(id, Arrays.stream(values()).map(Estimator::id).toList())));
    }
  }

  /** The gradients of the training loss itself: no extra pass, any loss. */
  public static final Fisher EMPIRICAL = new Fisher(Estimator.EMPIRICAL, OutputLoss.SOFTMAX, 0);

  /** Checks that nothing is missing. */
  public Fisher {
    Objects.requireNonNull(estimator, "estimator");
    Objects.requireNonNull(loss, "loss");
  }

  /**
   * Targets drawn from the network's prediction, an unbiased estimate of the true Fisher (Martens
   * and Grosse 2015, section 5). One extra backward pass.
   *
   * @param seed what is drawn in a step is a function of the seed and of the number of the step, so
   *     that a resumed run draws the same
   */
  public static Fisher monteCarlo(long seed) {
    return new Fisher(Estimator.MONTE_CARLO, OutputLoss.SOFTMAX, seed);
  }

  /** The true Fisher of the batch, with as many extra backward passes as an example has outputs. */
  public static Fisher exact() {
    return new Fisher(Estimator.EXACT, OutputLoss.SOFTMAX, 0);
  }

  /**
   * An unbiased estimate with random signs (Martens, Sutskever and Swersky 2012). One extra
   * backward pass.
   */
  public static Fisher curvaturePropagation(long seed) {
    return new Fisher(Estimator.CURVATURE_PROPAGATION, OutputLoss.SOFTMAX, seed);
  }

  /** For another loss than the softmax cross entropy. */
  public Fisher withLoss(OutputLoss value) {
    return new Fisher(estimator, value, seed);
  }

  /** Extra backward passes for outputs of this shape. */
  public int passes(Shape outputs) {
    return switch (estimator) {
      case EMPIRICAL -> 0;
      case MONTE_CARLO, CURVATURE_PROPAGATION -> 1;
      case EXACT -> OutputLoss.perExample(outputs);
    };
  }

  /**
   * What an extra backward pass starts from: gradients with respect to the outputs, of the summed
   * loss, whose second moments over all passes add to the Fisher of the outputs.
   *
   * @param outputs {@code [N, ...]}
   * @param step what is drawn depends on it
   * @param pass from 0 to {@link #passes} - 1
   * @param result receives the gradient, in the shape of the outputs
   * @throws IllegalArgumentException if shapes do not fit
   * @throws IllegalStateException for the empirical Fisher, which has no extra passes
   */
  public void outputGradient(HostTensor outputs, long step, int pass, HostTensor result) {
    Shape shape = outputs.shape();
    if (shape.rank() < 2 || shape.size() == 0 || !result.shape().equals(shape)) {
      throw new IllegalArgumentException(
          "the Fisher needs outputs [N, ...] and room for as many gradients, but the outputs have shape %s and the gradients %s"
              .formatted(shape, result.shape()));
    }
    int length = loss.rowLength(shape);
    int rowsPerExample = OutputLoss.perExample(shape) / length;
    double scale = 1 / Math.sqrt(loss.terms(shape));
    RandomGenerator random = random(step);
    double[] z = new double[length];
    double[] e = new double[length];
    double[] row = new double[length];
    for (int r = 0; r < shape.size() / length; r++) {
      outputs.read(r * length, z, 0, length);
      switch (estimator) {
        case EMPIRICAL ->
            throw new IllegalStateException("the empirical Fisher has no extra backward passes");
        case MONTE_CARLO -> loss.sample(z, random, row);
        case CURVATURE_PROPAGATION -> {
          for (int i = 0; i < length; i++) {
            e[i] = random.nextBoolean() ? 1 : -1;
          }
          loss.root(z, e, row);
        }
        case EXACT -> {
          // one output of one row of each example: gradients of examples do not mix, rows would
          boolean turn = r % rowsPerExample == pass / length;
          e[pass % length] = turn ? 1 : 0;
          loss.root(z, e, row);
        }
      }
      for (int i = 0; i < length; i++) {
        row[i] *= scale;
      }
      result.write(r * length, row, 0, length);
    }
  }

  private RandomGenerator random(long step) {
    long base = new SplittableRandom(seed).nextLong();
    return new SplittableRandom(new SplittableRandom(base ^ step).nextLong());
  }
}
