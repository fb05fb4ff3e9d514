package io.github.kfac4j.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.backend.Status;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every finite symmetric matrix is decomposed: residual and orthogonality below 10 n eps. */
class SymmetricEigenTest {
  private static final double EPS = Math.ulp(1.0);
  private static final double[] SCALES = {1, 1, 1, 1e-300, 1e-150, 1e150, 1e290};

  private record Result(double[] vectors, double[] values) {}

  private static Result decompose(double[] m, int n, double scale, String what) {
    Result result = new Result(new double[n * n], new double[n]);
    assertThat(SymmetricEigen.decompose(m, 0, n, scale, result.vectors, 0, result.values, 0))
        .as(what)
        .isEqualTo(Status.OK);
    return result;
  }

  /** The promise, and that a power of two only moves the exponents of the eigenvalues. */
  private static Result check(double[] m, int n, String what) {
    Result result = decompose(m, n, 1, what);
    double largest = Arrays.stream(m).map(Math::abs).max().orElse(0);
    // exact, since nothing is small any more then
    int shift = largest == 0 ? 0 : -Math.getExponent(Math.max(largest, Double.MIN_NORMAL));
    DoubleUnaryOperator up = x -> Math.scalb(x, shift);
    double[] a = Arrays.stream(m).map(up).toArray();
    double[] w = Arrays.stream(result.values).map(up).toArray();
    double[] q = result.vectors;
    double[] residual = Literal.multiply(a, q, n, n, n);
    for (int i = 0; i < n * n; i++) {
      residual[i] -= q[i] * w[i % n];
    }
    double[] gram = Literal.multiply(Literal.transpose(q, n, n), q, n, n, n);
    for (int i = 0; i < n; i++) {
      gram[i * (n + 1)] -= 1;
    }
    assertThat(result.values).as(what).isSorted();
    assertThat(norm(gram)).as("orthogonality, %s", what).isLessThanOrEqualTo(10 * n * EPS);
    assertThat(norm(residual))
        .as("residual, %s", what)
        .isLessThanOrEqualTo(10 * n * EPS * norm(a) + n * up.applyAsDouble(Double.MIN_VALUE));
    Result shifted = decompose(a, n, Math.scalb(1.0, 40), what);
    if (Arrays.stream(m).allMatch(x -> x == 0 || Math.abs(x) > Double.MIN_NORMAL)
        && Arrays.stream(result.values).allMatch(x -> x == 0 || Math.abs(x) > Double.MIN_NORMAL)) {
      assertThat(shifted.vectors).as("scaled by 2^k, %s", what).isEqualTo(q);
      assertThat(shifted.values)
          .as("scaled by 2^k, %s", what)
          .isEqualTo(Arrays.stream(w).map(x -> Math.scalb(x, 40)).toArray());
    }
    return result;
  }

  private static double norm(double[] x) {
    return Math.sqrt(Arrays.stream(x).map(v -> v * v).sum());
  }

  /** What the rows of a batch look like, whose second moment is decomposed. */
  enum Rows {
    GAUSSIAN,
    RELU,
    SPARSE,
    DEAD,
    CONSTANT,
    COLUMNS_SCALED,
    GRADED,
    REPEATED,
    CLUSTERED;

    private double[] matrix(Random random, int n) {
      if (this == REPEATED || this == CLUSTERED) {
        double[] q = decompose(GAUSSIAN.matrix(random, n), n, 1, "basis").vectors;
        double width = this == REPEATED ? 0 : 1e-12;
        double[] scaled = q.clone();
        for (int i = 0; i < n * n; i++) {
          scaled[i] *= i % n % 3 + width * (i % n);
        }
        return symmetric(Literal.multiply(scaled, Literal.transpose(q, n, n), n, n, n), n);
      }
      int samples = 1 + random.nextInt(2 * n);
      double[] columns = random.doubles(n, 0, 1).toArray();
      double[][] rows = new double[samples][n];
      for (int r = 0; r < samples; r++) {
        for (int i = 0; i < n; i++) {
          rows[r][i] = r > 0 && this == CONSTANT ? rows[0][i] : element(random, columns[i]);
        }
      }
      return Literal.secondMoment(rows);
    }

    private double element(Random random, double column) {
      double x = random.nextGaussian();
      return switch (this) {
        case RELU -> Math.max(0, x);
        case SPARSE -> random.nextInt(10) == 0 ? x : 0;
        case DEAD -> column < 0.5 ? 0 : x;
        case COLUMNS_SCALED -> x * Math.pow(10, 6 * column - 3);
        case GRADED -> x * Math.pow(10, -8 * column);
        default -> x;
      };
    }
  }

  private static double[] symmetric(double[] m, int n) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        m[i * n + j] = m[j * n + i];
      }
    }
    return m;
  }

  @ParameterizedTest
  @EnumSource(Rows.class)
  void secondMomentsOfEveryKindRankAndScale(Rows rows) {
    for (int seed = 0; seed < 67; seed++) {
      Random random = new Random(1000 * rows.ordinal() + seed);
      double size = random.nextDouble();
      int n = 1 + (int) (240 * size * size * size);
      double scale = SCALES[random.nextInt(SCALES.length)];
      double[] m = rows.matrix(random, n);
      Arrays.setAll(m, i -> m[i] * scale);
      check(m, n, "%s, seed %d, n %d, scale %s".formatted(rows, seed, n, scale));
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 1", "32, 1", "599, 0.1", "600, 1e-200"})
  void aLargeMatrixOfAnyRank(int rank, double scale) {
    int n = 600;
    Random random = new Random(rank);
    double[] m = new double[n * n];
    if (rank > 0) {
      double[][] rows = new double[rank][];
      Arrays.setAll(rows, r -> random.doubles(n, -1, 1).toArray());
      m = Literal.secondMoment(rows);
    }
    for (int i = 0; i < m.length; i++) {
      m[i] *= scale;
    }
    check(m, n, "rank " + rank);
  }

  /** Tridiagonal matrices, by their diagonal and what is beside it. */
  enum Tridiagonal {
    ZERO(i -> 0, i -> 0),
    IDENTITY(i -> 1, i -> 0),
    WILKINSON(i -> Math.abs(i - 10), i -> 1),
    GLUED_WILKINSON(i -> Math.abs(i % 21 - 10), i -> i % 21 == 20 ? 1e-8 : 1),
    TOEPLITZ(i -> 2, i -> -1),
    ZERO_DIAGONAL(i -> 0, i -> 1),
    GRADED_DOWN(i -> Math.pow(10, -i / 4), i -> Math.pow(10, -i / 4 - 0.1)),
    GRADED_UP(i -> Math.pow(10, i / 4 - 20), i -> Math.pow(10, i / 4 - 20.1)),
    GRADED_FAR(i -> Math.pow(10, 300 - 7 * i), i -> Math.pow(10, 296 - 7 * i)),
    GRADED_V(i -> Math.pow(10, Math.abs(i - 40) / 3 - 13), i -> Math.pow(10, -i / 3 - 1));

    private final DoubleUnaryOperator diagonal;
    private final DoubleUnaryOperator beside;

    Tridiagonal(DoubleUnaryOperator diagonal, DoubleUnaryOperator beside) {
      this.diagonal = diagonal;
      this.beside = beside;
    }

    private double[] matrix(int n) {
      double[] m = new double[n * n];
      for (int i = 0; i < n; i++) {
        m[i * (n + 1)] = diagonal.applyAsDouble(i);
        if (i + 1 < n) {
          m[i * n + i + 1] = m[(i + 1) * n + i] = beside.applyAsDouble(i);
        }
      }
      return m;
    }
  }

  @ParameterizedTest
  @EnumSource(Tridiagonal.class)
  void matricesThatAreHardForTheIteration(Tridiagonal kind) {
    for (int n : new int[] {1, 2, 3, 21, 84}) {
      for (double scale : new double[] {1, 1e-300, 1e-8}) {
        double[] m = kind.matrix(n);
        Arrays.setAll(m, i -> m[i] * scale);
        check(m, n, "%s, n %d, scale %s".formatted(kind, n, scale));
      }
    }
  }

  @Test
  void theToeplitzMatrixHasTheEigenvaluesOfTheDiscreteLaplacian() {
    int n = 84;
    double[] w = check(Tridiagonal.TOEPLITZ.matrix(n), n, "Toeplitz").values;
    for (int k = 0; k < n; k++) {
      double sine = Math.sin((k + 1) * Math.PI / (2 * n + 2));
      assertThat(w[k]).isCloseTo(4 * sine * sine, offset(1e-14));
    }
  }

  /** The second moment of four rows of 70, max(0, sin(i^2 + 1)), and sin((i + j)^2 + 1). */
  @Test
  void eigenvaluesAreThoseOfLapack() {
    double[] x = IntStream.range(0, 280).mapToDouble(i -> Math.sin((double) i * i + 1)).toArray();
    double[][] rows = new double[4][70];
    for (int i = 0; i < x.length; i++) {
      rows[i / 70][i % 70] = Math.max(0, x[i]) / 2;
    }
    double[] w = check(Literal.secondMoment(rows), 70, "four rows").values;
    double[] fromNumpy = {
      2.208923722055005, 2.672079564700643, 3.224005522977337, 11.563799419584337
    };
    for (int k = 0; k < 70; k++) {
      assertThat(w[k]).isCloseTo(k < 66 ? 0 : fromNumpy[k - 66], offset(2e-14));
    }
    int n = 50;
    double[] m = new double[n * n];
    Arrays.setAll(m, i -> Math.sin(Math.pow(i / n + i % n, 2) + 1));
    w = check(m, n, "sines").values;
    double[] some = {w[0], w[1], w[10], w[24], w[25], w[40], w[48], w[49]};
    double[] expected = {
      -8.605776439974925, -7.997081233010376, -5.168193669355557, -0.21769095595030302,
      0.39758551554284594, 5.614657908308702, 8.147000779471794, 8.50339354928558
    };
    assertThat(some).containsExactly(expected, offset(4e-14));
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.MIN_VALUE, 1e-310, 1e-300, 1, 1e300, 8e307})
  void numbersAtBothEndsOfTheRange(double x) {
    double[] w = check(new double[] {0, x, x, 0}, 2, "x " + x).values;
    assertThat(w[0]).isCloseTo(-x, offset(4 * Math.ulp(x)));
    assertThat(w[1]).isCloseTo(x, offset(4 * Math.ulp(x)));
  }

  @Test
  void anEigenvalueBeyondTheLargestNumberIsReported() {
    double x = 1e308;
    double[] vectors = {1, 2, 3, 4};
    double[] values = {1, 2};
    assertThat(SymmetricEigen.decompose(new double[] {x, x, x, x}, 0, 2, 1, vectors, 0, values, 0))
        .isEqualTo(Status.NOT_FINITE);
    assertThat(vectors).containsExactly(1, 2, 3, 4);
    assertThat(values).containsExactly(1, 2);
  }
}
