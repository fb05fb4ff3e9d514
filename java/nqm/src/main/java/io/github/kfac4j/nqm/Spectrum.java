package io.github.kfac4j.nqm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The eigenvalues h_i of a quadratic loss L = 1/2 sum h_i theta_i^2, each with how many coordinates
 * share it and the variance c_i of one example's gradient along it; every coordinate starts with
 * the same E theta_i(0)^2.
 *
 * <p>Immutable; arrays are copied in and out.
 */
public final class Spectrum {
  private final double[] eigenvalues;
  private final double[] counts;
  private final double[] noiseVariances;
  private final double initialVariance;

  private Spectrum(double[] eigenvalues, double[] counts, double[] noise, double initialVariance) {
    this.eigenvalues = eigenvalues;
    this.counts = counts;
    this.noiseVariances = noise;
    this.initialVariance = initialVariance;
  }

  /**
   * @param eigenvalues h_i, positive
   * @param counts how many coordinates share each eigenvalue, positive
   * @param noiseVariances c_i, not negative
   * @throws IllegalArgumentException if the arrays are empty, differ in length or hold a bad value
   */
  public static Spectrum of(double[] eigenvalues, double[] counts, double[] noiseVariances) {
    int n = eigenvalues.length;
    if (n == 0) {
      throw new IllegalArgumentException("the spectrum is empty: give at least one eigenvalue");
    }
    if (counts.length != n || noiseVariances.length != n) {
      throw new IllegalArgumentException(
          "eigenvalues, counts and noise variances differ in length: "
              + n
              + ", "
              + counts.length
              + ", "
              + noiseVariances.length);
    }
    for (int i = 0; i < n; i++) {
      require(eigenvalues[i] > 0, "eigenvalue", i, "positive", eigenvalues[i]);
      require(counts[i] > 0, "count", i, "positive", counts[i]);
      require(noiseVariances[i] >= 0, "noise variance", i, "zero or more", noiseVariances[i]);
    }
    return new Spectrum(eigenvalues.clone(), counts.clone(), noiseVariances.clone(), 1);
  }

  private static void require(boolean good, String what, int i, String range, double value) {
    if (!good || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          what + " " + (i + 1) + " must be " + range + " and finite, not " + value);
    }
  }

  /** One coordinate per eigenvalue, with gradient noise c = h. */
  public static Spectrum of(double... eigenvalues) {
    double[] ones = new double[eigenvalues.length];
    Arrays.fill(ones, 1);
    return of(eigenvalues, ones, eigenvalues);
  }

  /**
   * h_i = 1/i for i = 1..d, c = h: the spectrum of Zhang et al. (2019), section 3.
   *
   * @param dimension d, positive
   */
  public static Spectrum harmonic(int dimension) {
    requirePositive(dimension, "the dimension");
    double[] h = new double[dimension];
    for (int i = 0; i < dimension; i++) {
      h[i] = 1.0 / (i + 1);
    }
    return of(h);
  }

  /**
   * The harmonic spectrum on a geometric grid from 1 to 1/d: each eigenvalue is counted at the
   * largest grid point that does not exceed it, and grid points that nothing falls on are dropped.
   *
   * @param dimension d, at least 2
   * @param bins grid points, at least 2
   */
  public static Spectrum harmonicBinned(int dimension, int bins) {
    if (dimension < 2 || bins < 2) {
      throw new IllegalArgumentException(
          "binning needs a dimension and a number of bins of at least 2, not "
              + dimension
              + " and "
              + bins);
    }
    double[] grid = new double[bins];
    for (int j = 0; j < bins; j++) {
      grid[j] = Math.pow(dimension, -(double) j / (bins - 1));
    }
    // pow may round the last point above 1/d, which would leave eigenvalue d without a bin
    grid[bins - 1] = 1.0 / dimension;
    double[] counts = new double[bins];
    int bin = 0;
    for (int i = 1; i <= dimension; i++) {
      while (1.0 / i < grid[bin]) {
        bin++;
      }
      counts[bin]++;
    }
    int[] used = IntStream.range(0, bins).filter(j -> counts[j] > 0).toArray();
    double[] h = Arrays.stream(used).mapToDouble(j -> grid[j]).toArray();
    return of(h, Arrays.stream(used).mapToDouble(j -> counts[j]).toArray(), h);
  }

  /** The spectrum behind the paper's figures: d = 10^4 in 100 bins, of which 84 are used. */
  public static Spectrum reference() {
    return harmonicBinned(10_000, 100);
  }

  /**
   * Reads a text file with one line {@code eigenvalue[,count[,noise variance]]} per eigenvalue; the
   * count is 1 and the noise variance the eigenvalue where they are left out. Empty lines and what
   * follows a {@code #} are ignored; blanks separate as well as commas.
   *
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException naming the line, if one cannot be understood
   */
  public static Spectrum read(Path file) throws IOException {
    return SpectrumFile.read(file);
  }

  /** The same spectrum with another E theta_i(0)^2, zero or more. */
  public Spectrum withInitialVariance(double variance) {
    if (!(variance >= 0) || Double.isInfinite(variance)) {
      throw new IllegalArgumentException(
          "the initial variance must be zero or more and finite, not " + variance);
    }
    return new Spectrum(eigenvalues, counts, noiseVariances, variance);
  }

  private static void requirePositive(int value, String what) {
    if (value <= 0) {
      throw new IllegalArgumentException(what + " must be positive, not " + value);
    }
  }

  /** How many distinct entries the spectrum has. */
  public int size() {
    return eigenvalues.length;
  }

  /** How many coordinates the model has. */
  public double dimension() {
    return Arrays.stream(counts).sum();
  }

  /** h_i. */
  public double eigenvalue(int i) {
    return eigenvalues[i];
  }

  /** How many coordinates share h_i. */
  public double count(int i) {
    return counts[i];
  }

  /** c_i. */
  public double noiseVariance(int i) {
    return noiseVariances[i];
  }

  /** E theta_i(0)^2. */
  public double initialVariance() {
    return initialVariance;
  }

  /** The largest eigenvalue. */
  public double largest() {
    return Arrays.stream(eigenvalues).max().orElseThrow();
  }

  /** The smallest eigenvalue. */
  public double smallest() {
    return Arrays.stream(eigenvalues).min().orElseThrow();
  }
}
