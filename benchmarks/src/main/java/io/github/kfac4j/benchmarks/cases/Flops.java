package io.github.kfac4j.benchmarks.cases;

/**
 * Operations by the textbook's way, one multiplication and one addition counted as two. They turn
 * times into rates that can be compared; an implementation that needs fewer shows a higher rate.
 */
public final class Flops {
  private Flops() {}

  /** The operations of a case; 0 for patches and training. */
  public static double of(Case c) {
    if (c instanceof ConvCase conv) {
      return conv.verb().equals(Case.PATCHES) ? 0 : symmetricUpdate(conv.rows(), conv.dim());
    }
    if (c instanceof DenseCase dense) {
      return symmetricUpdate(dense.rows(), dense.dim());
    }
    if (c instanceof InverseCase inverse) {
      return inverse.sizes().stream().mapToDouble(Flops::inverse).sum();
    }
    if (c instanceof PreconditionCase p) {
      return precondition(p.out(), p.in());
    }
    return c.verb().equals(Case.TRAINING) ? 0 : network((NetworkCase) c);
  }

  private static double network(NetworkCase c) {
    double sum = 0;
    for (LayerShape layer : c.layers()) {
      int a = layer.toLayer().inputDim();
      int g = layer.toLayer().outputDim();
      sum += precondition(g, a);
      if (c.verb().equals(Case.STEP)) {
        int[] out = layer.outputShape(c.batch());
        double rows = c.batch() * (layer.isConv() ? (double) out[2] * out[3] : 1);
        sum += symmetricUpdate(rows, a) + symmetricUpdate(rows, g) + inverse(a) + inverse(g);
      }
    }
    return sum;
  }

  private static double symmetricUpdate(double rows, double dim) {
    return rows * dim * (dim + 1);
  }

  /** Cholesky factor, its inverse, and the product of that with itself: a third of n^3 each. */
  private static double inverse(double n) {
    return n * n * n;
  }

  private static double precondition(double out, double in) {
    return 2 * out * in * (out + in);
  }
}
