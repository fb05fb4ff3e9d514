package io.github.kfac4j.nqm;

/** How the parameters follow the noisy gradient. */
public enum Method {
  /** Plain stochastic gradient descent: theta' = theta - alpha g (equation 4). */
  SGD {
    @Override
    Response response(double x, double decay) {
      return OneRoot.of(x);
    }

    @Override
    double steadyGain(double x, double decay) {
      return 1 / (x * (2 - x));
    }

    @Override
    double stabilityLimit(double decay) {
      return 2;
    }
  },

  /** Heavy-ball momentum: m' = beta m + g, theta' = theta - alpha m' (equation 5). */
  MOMENTUM {
    @Override
    Response response(double x, double decay) {
      if (decay == 0) {
        return OneRoot.of(x);
      }
      double mirrored = mirrored(x, decay);
      double gap = (1 - decay) / (1 + Math.sqrt(decay)); // 1 - sqrt(beta), without cancellation
      double lower = gap * gap;
      if (x > lower && mirrored > lower) {
        return new ComplexRoots(x, mirrored, decay, lower);
      }
      // negative roots are the positive ones of the mirrored rate
      boolean negative = mirrored <= lower;
      double near = negative ? mirrored : x;
      double far = negative ? x : mirrored;
      double spread = Math.sqrt((lower - near) * (far - lower));
      double gapB = (1 - decay + near + spread) / 2;
      return RealRoots.oneSign(negative, near / gapB, gapB, spread);
    }

    /** 2 (1 + beta) - x with one rounding, however close x is to the limit of stability. */
    private static double mirrored(double x, double decay) {
      return (2 - x) + 2 * decay;
    }

    @Override
    double steadyGain(double x, double decay) {
      return (1 + decay) / ((1 - decay) * x * mirrored(x, decay));
    }

    @Override
    double stabilityLimit(double decay) {
      return 2 * (1 + decay);
    }
  },

  /** SGD whose answer is an exponential moving average of the iterates, with decay gamma. */
  EMA {
    @Override
    Response response(double x, double decay) {
      if (decay == 0) {
        return OneRoot.of(x);
      }
      double gap = 1 - decay;
      if (x > 1) {
        return RealRoots.opposite(gap, 2 - x);
      }
      return RealRoots.oneSign(false, Math.min(x, gap), Math.max(x, gap), Math.abs(gap - x));
    }

    @Override
    double steadyGain(double x, double decay) {
      double root = 1 - x;
      return (1 - decay) * (1 + root * decay) / ((1 + decay) * (1 - root * decay) * x * (2 - x));
    }

    @Override
    double stabilityLimit(double decay) {
      return 2;
    }

    @Override
    double noiseScale(double decay) {
      return (1 - decay) * (1 - decay);
    }
  };

  /** The filter at x = learning rate times effective curvature, stable x only. */
  abstract Response response(double x, double decay);

  /** lim S_t, with {@link #noiseScale} in it. */
  abstract double steadyGain(double x, double decay);

  /** The x below which the filter is stable. */
  abstract double stabilityLimit(double decay);

  /** What the noise is multiplied by before it enters the filter. */
  double noiseScale(double decay) {
    return 1;
  }
}
