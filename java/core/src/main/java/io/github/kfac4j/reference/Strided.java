package io.github.kfac4j.reference;

/**
 * A matrix within an array: element (i, j) is {@code values[offset + i * rowStep + j * colStep]}.
 */
record Strided(double[] values, int offset, int rowStep, int colStep) {
  /** A matrix whose rows begin {@code rowStep} apart, without gaps within. */
  static Strided rows(double[] values, int offset, int rowStep) {
    return new Strided(values, offset, rowStep, 1);
  }

  int index(int i, int j) {
    return offset + i * rowStep + j * colStep;
  }

  /** The part from row i and column j. */
  Strided at(int i, int j) {
    return new Strided(values, index(i, j), rowStep, colStep);
  }

  Strided transposed() {
    return new Strided(values, offset, colStep, rowStep);
  }
}
