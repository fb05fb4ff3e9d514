package io.github.kfac4j.nqm;

import java.math.BigDecimal;
import java.math.MathContext;

/**
 * The second moments of one coordinate with 120 digits: the printed transitions, corrected, raised
 * to the t-th power by squaring. Nothing in it knows of roots.
 */
final class ExactMoments {
  private static final MathContext DIGITS = new MathContext(120);

  private ExactMoments() {}

  /** f_t^2 (from A_0 = 1, n = 0) and S_t with the noise scale (from A_0 = 0, n = 1). */
  record Moments(double squaredDecay, double noiseGain) {}

  static Moments after(Method method, double x, double decay, long steps) {
    BigDecimal d = new BigDecimal(decay);
    BigDecimal root = BigDecimal.ONE.subtract(new BigDecimal(x));
    BigDecimal scale = BigDecimal.ONE.subtract(d);
    BigDecimal[][] affine = method == Method.EMA ? average(root, d) : momentum(root, d);
    BigDecimal[][] power = power(affine, steps);
    int row = method == Method.EMA ? 1 : 0;
    BigDecimal noise = power[row][3];
    BigDecimal decayed = power[row][0];
    if (method == Method.EMA) {
      // from [1, 1/s^2, 1/s], and back by s^2
      decayed =
          power[1][0]
              .multiply(scale, DIGITS)
              .multiply(scale, DIGITS)
              .add(power[1][1], DIGITS)
              .add(power[1][2].multiply(scale, DIGITS), DIGITS);
      noise = noise.multiply(scale, DIGITS).multiply(scale, DIGITS);
    }
    return new Moments(decayed.doubleValue(), noise.doubleValue());
  }

  private static BigDecimal[][] momentum(BigDecimal root, BigDecimal beta) {
    BigDecimal one = BigDecimal.ONE;
    BigDecimal two = BigDecimal.valueOf(2);
    BigDecimal x = one.subtract(root);
    BigDecimal square = beta.multiply(beta);
    return new BigDecimal[][] {
      {root.multiply(root), square, two.multiply(root).multiply(beta), one},
      {x.multiply(x), square, two.multiply(x).multiply(beta).negate(), one},
      {root.multiply(x).negate(), square, one.subtract(two.multiply(x)).multiply(beta), one},
      {BigDecimal.ZERO, BigDecimal.ZERO, BigDecimal.ZERO, one}
    };
  }

  private static BigDecimal[][] average(BigDecimal root, BigDecimal gamma) {
    BigDecimal zero = BigDecimal.ZERO;
    BigDecimal one = BigDecimal.ONE;
    BigDecimal square = root.multiply(root);
    BigDecimal product = gamma.multiply(root);
    return new BigDecimal[][] {
      {square, zero, zero, one},
      {square, gamma.multiply(gamma), product.multiply(BigDecimal.valueOf(2)), one},
      {square, zero, product, one},
      {zero, zero, zero, one}
    };
  }

  private static BigDecimal[][] power(BigDecimal[][] base, long exponent) {
    BigDecimal[][] result = null;
    BigDecimal[][] square = base;
    for (long left = exponent; left > 0; left >>= 1) {
      if ((left & 1) == 1) {
        result = result == null ? square : multiply(result, square);
      }
      square = multiply(square, square);
    }
    return result;
  }

  private static BigDecimal[][] multiply(BigDecimal[][] a, BigDecimal[][] b) {
    BigDecimal[][] c = new BigDecimal[4][4];
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 4; j++) {
        BigDecimal sum = BigDecimal.ZERO;
        for (int k = 0; k < 4; k++) {
          sum = sum.add(a[i][k].multiply(b[k][j], DIGITS), DIGITS);
        }
        // far below what a double holds, but in reach of the exponents of BigDecimal
        c[i][j] = sum.precision() - sum.scale() < -100_000 ? BigDecimal.ZERO : sum;
      }
    }
    return c;
  }
}
