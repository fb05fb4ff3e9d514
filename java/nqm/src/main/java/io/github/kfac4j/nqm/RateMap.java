package io.github.kfac4j.nqm;

/** How an unbounded variable stands for a learning rate between 0 and a limit of 1. */
enum RateMap {
  /** 1 / (1 + exp(-u)): good from far below, but flat near the limit. */
  LOGISTIC {
    @Override
    double rate(double u) {
      return 1 / (1 + Math.exp(-u));
    }

    @Override
    double logSlope(double u) {
      return 1 / (1 + Math.exp(u));
    }

    @Override
    double variable(double rate) {
      return Math.log(rate) - Math.log1p(-rate);
    }
  },

  /** exp(-u^2): a rate at its limit is an ordinary minimum over u. */
  SQUARE {
    @Override
    double rate(double u) {
      return Math.exp(-u * u);
    }

    @Override
    double logSlope(double u) {
      return -2 * u;
    }

    @Override
    double variable(double rate) {
      return Math.sqrt(-Math.log(rate));
    }
  };

  abstract double rate(double u);

  /** d log rate / du. */
  abstract double logSlope(double u);

  /** The inverse of {@link #rate}. */
  abstract double variable(double rate);
}
