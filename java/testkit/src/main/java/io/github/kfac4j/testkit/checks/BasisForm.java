package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Arrays;
import java.util.Random;

/** How a basis is given to a verb. What is random is no basis, which no verb has to know. */
enum BasisForm {
  IDENTITY("weights"),
  COLUMNS("rotated"),
  REFLECTIONS("reflected");

  private final String words;

  BasisForm(String words) {
    this.words = words;
  }

  @Override
  public String toString() {
    return words;
  }

  /** Elements for bases of dimension n; null for the identity. */
  double[] random(Random random, int count, int n) {
    double[] elements = this == IDENTITY ? null : Fixtures.gaussian(random, count * n * n);
    if (this == REFLECTIONS && n > 1) {
      int used = 2 * n * reflections(n);
      for (int k = 0; k < count; k++) {
        Arrays.fill(elements, k * n * n + used, (k + 1) * n * n, 0);
      }
    }
    return elements;
  }

  /** A basis with elements that {@link #random} made. */
  Basis basis(Side side, int count, int n, double[] elements) {
    return this == IDENTITY
        ? null
        : new Basis(side.stack(count, n, n, elements), this == REFLECTIONS ? reflections(n) : 0);
  }

  /** None where n is 1: columns then. */
  private static int reflections(int n) {
    return Math.min(n / 2, 1 + n / 4);
  }
}
