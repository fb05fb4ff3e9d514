package io.github.kfac4j.nqm;

import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Simulates the noisy updates themselves, parameter by parameter with random gradients: the check
 * of the closed forms that shares no formula with them.
 */
public final class MonteCarlo {
  private MonteCarlo() {}

  /**
   * An estimated risk.
   *
   * @param mean the average over the trajectories
   * @param standardError of the mean
   */
  public record Estimate(double mean, double standardError) {}

  /**
   * Estimates the risk after a number of steps. One coordinate stands for all that share an entry
   * of the spectrum. The same seed gives the same estimate, whatever the number of threads.
   *
   * @param trajectories independent runs, at least 2
   * @throws IllegalArgumentException if there are too few trajectories
   */
  public static Estimate risk(
      NoisyQuadratic model, Algorithm algorithm, int steps, int trajectories, long seed) {
    if (trajectories < 2) {
      throw new IllegalArgumentException(
          "a standard error needs at least 2 trajectories, not " + trajectories);
    }
    SplittableRandom root = new SplittableRandom(seed);
    SplittableRandom[] randoms = new SplittableRandom[trajectories];
    for (int i = 0; i < trajectories; i++) {
      randoms[i] = root.split();
    }
    double[] losses =
        IntStream.range(0, trajectories)
            .parallel()
            .mapToDouble(i -> trajectory(model, algorithm, steps, randoms[i]))
            .toArray();
    double mean = 0;
    for (double loss : losses) {
      mean += loss / trajectories;
    }
    double squares = 0;
    for (double loss : losses) {
      squares += (loss - mean) * (loss - mean);
    }
    return new Estimate(mean, Math.sqrt(squares / (trajectories - 1.0) / trajectories));
  }

  private static double trajectory(
      NoisyQuadratic model, Algorithm algorithm, int steps, SplittableRandom random) {
    Spectrum spectrum = model.spectrum();
    double loss = 0;
    for (int i = 0; i < spectrum.size(); i++) {
      double h = spectrum.eigenvalue(i);
      double preconditioner = Math.pow(h, -model.power());
      double noise = Math.sqrt(spectrum.noiseVariance(i) / model.batchSize());
      double theta = Math.sqrt(spectrum.initialVariance()) * random.nextGaussian();
      double momentum = 0;
      double average = theta;
      boolean heavyBall = algorithm.method() == Method.MOMENTUM;
      for (int t = 0; t < steps; t++) {
        double gradient = preconditioner * (h * theta + noise * random.nextGaussian());
        momentum = heavyBall ? algorithm.decay() * momentum + gradient : gradient;
        theta -= algorithm.learningRate() * momentum;
        average = algorithm.decay() * average + (1 - algorithm.decay()) * theta;
      }
      double answer = algorithm.method() == Method.EMA ? average : theta;
      loss += 0.5 * h * spectrum.count(i) * answer * answer;
    }
    return loss;
  }
}
