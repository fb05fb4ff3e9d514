package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.Wide;
import io.github.kfac4j.cpu.matrix.WideGemm;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.DoubleBlas;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.cpu.scheduling.Stages;
import java.util.Arrays;
import java.util.List;

/**
 * The renewal of one basis in fp64, as {@link RenewRequest} defines it. Vectors are rows here, the
 * leading ones in descending order: QR clears a vector only of those with larger eigenvalues, whose
 * changes it would else be drowned in. To be run in turn: {@link #find}, and {@link #rotate} if
 * {@link #accepted}.
 */
public final class BasisRenewal {
  private static final int ROWS = 64;

  private final CpuMatrixStack source;
  private final CpuMatrixStack vectors;
  private final int k;
  private final int n;
  private final int r;
  private final double maxShare;
  private final Arena shared;

  /** {@code [r, n]}: the leading vectors Q1 of before, and an orthonormal basis Y of now. */
  private final Doubles before;

  private final Doubles y;

  /** {@code [r, n]}: {@code Y'A}, and then {@code Y'Q2} in front. */
  private final Doubles product;

  /** {@code [r, r]}: {@code Y'A Y}, then Ritz vectors as rows; {@code Q1'Y}; {@code I + Y'Q1}. */
  private final Doubles ritz;

  private final Doubles cross;
  private final Doubles solution;

  private final double[] squares;
  private final double[] traces;
  private final double[] ritzValues;
  private double share = Double.NaN;
  private boolean accepted;
  private double[] rotation;

  /** A plan with memory of its own for matrix {@code k} of a request. */
  public BasisRenewal(RenewRequest request, int k, Arena shared) {
    this.source = CpuMatrixStack.of(request.source());
    this.vectors = CpuMatrixStack.of(request.vectors());
    this.k = k;
    this.n = vectors.rows();
    this.r = request.leading();
    this.maxShare = request.maxShare();
    this.shared = shared;
    this.before = shared.takeDoubles((long) r * n);
    this.y = r == n ? before : shared.takeDoubles((long) r * n);
    this.product = shared.takeDoubles((long) r * n);
    this.ritz = shared.takeDoubles((long) r * r);
    this.cross = shared.takeDoubles((long) r * r);
    this.solution = shared.takeDoubles((long) r * r);
    this.squares = new double[blocks()];
    this.traces = new double[blocks()];
    this.ritzValues = new double[r];
  }

  private int blocks() {
    return (n + ROWS - 1) / ROWS;
  }

  private int first(int block) {
    return Math.min(n, block * ROWS);
  }

  private WideGemm times(boolean second, int m, int width, int depth, Wide x, Wide z, Doubles to) {
    return new WideGemm(false, second, m, width, depth, 1, x, z, to, width);
  }

  /** Ritz vectors and all that decides whether they are accepted. */
  public Plan find() {
    Stages plan = new DeepStages();
    Wide a = Wide.of(source, k);
    plan.add(blocks(), this::read);
    if (r < n) {
      plan.add(List.of(times(false, r, n, n, Wide.of(before, n), a, y)));
      plan.add(1, (task, scratch) -> orthonormalise(scratch));
    }
    plan.add(List.of(times(false, r, n, n, Wide.of(y, n), a, product)));
    plan.add(
        List.of(
            times(true, r, r, n, Wide.of(product, n), Wide.of(y, n), ritz),
            times(true, r, r, n, Wide.of(before, n), Wide.of(y, n), cross)));
    plan.add(1, (task, scratch) -> decide(scratch));
    return plan;
  }

  /** Reads some rows of A, and of Q what stands in the same rows. */
  private void read(int block) {
    Floats matrix = source.matrix(k);
    double sum = 0;
    double trace = 0;
    for (int i = first(block); i < first(block + 1); i++) {
      for (int j = i * n; j < (i + 1) * n; j++) {
        double x = matrix.get(j);
        sum += x * x;
      }
      trace += matrix.get(i * (n + 1));
    }
    for (int v = 0; v < r; v++) {
      for (int i = first(block); i < first(block + 1); i++) {
        before.put(v * n + i, vectors.get((k * n + i) * n + n - 1 - v));
      }
    }
    squares[block] = sum;
    traces[block] = trace;
  }

  private void orthonormalise(Arena scratch) {
    double shift = Renewal.SHIFT * Math.max(0, Arrays.stream(traces).sum()) / n;
    if (!Double.isFinite(shift)) {
      return;
    }
    for (int i = 0; i < r * n; i++) {
      y.put(i, y.get(i) + shift * before.get(i));
    }
    DoubleBlas.orthonormalRows(r, n, y, scratch);
    for (int v = 0; v < r; v++) {
      double dot = 0;
      for (int i = v * n; i < (v + 1) * n; i++) {
        dot += y.get(i) * before.get(i);
      }
      for (int i = v * n; dot < 0 && i < (v + 1) * n; i++) {
        y.put(i, -y.get(i));
      }
    }
  }

  private void decide(Arena scratch) {
    double all = Arrays.stream(squares).sum();
    Doubles values = scratch.takeDoubles(r);
    if (!Double.isFinite(all) || DoubleBlas.syevd(r, ritz, values, scratch) != 0) {
      return;
    }
    double leading = 0;
    for (int i = 0; i < r; i++) {
      ritzValues[i] = values.get(i);
      leading += values.get(i) * values.get(i);
    }
    share = Renewal.share(all, leading);
    accepted = share <= maxShare && (r == n || solve(scratch));
  }

  private boolean solve(Arena scratch) {
    for (int i = 0; i < r; i++) {
      for (int j = 0; j < r; j++) {
        solution.put(i * r + j, cross.get(j * r + i) + (i == j ? 1 : 0));
      }
    }
    if (DoubleBlas.invertSquare(r, solution, scratch) != 0) {
      return false;
    }
    double[] elements = new double[r * r];
    Arrays.setAll(elements, solution::get);
    return Renewal.isSafe(elements);
  }

  /** Whether the new vectors are good, once {@link #find} has run. */
  public boolean accepted() {
    return accepted;
  }

  /** Puts the new vectors in the place of the old. */
  public Plan rotate() {
    Stages plan = new Stages();
    int rest = n - r;
    Doubles rotated = shared.takeDoubles((long) r * r);
    Doubles leading = shared.takeDoubles((long) r * n);
    Doubles change = shared.takeDoubles((long) n * rest);
    Doubles factors = shared.takeDoubles((long) r * rest);
    plan.add(
        List.of(
            times(true, r, r, r, Wide.of(cross, r), Wide.of(ritz, r), rotated),
            times(false, r, n, r, Wide.of(ritz, r), Wide.of(y, n), leading)));
    if (rest > 0) {
      Wide onRest = Wide.of(product, rest);
      plan.add(List.of(times(false, r, rest, n, Wide.of(y, n), Wide.of(vectors, k), product)));
      plan.add(List.of(times(false, r, rest, r, Wide.of(solution, r), onRest, factors)));
      plan.add(blocks(), this::addBefore);
      plan.add(
          List.of(
              new WideGemm(
                  true,
                  false,
                  n,
                  rest,
                  r,
                  1,
                  Wide.of(y, n),
                  Wide.of(factors, rest),
                  change,
                  rest)));
    }
    plan.add(blocks(), block -> write(block, leading, change));
    plan.add(1, task -> rotation = inOrder(rotated));
    return plan;
  }

  /** Y becomes F = Q1 + Y. */
  private void addBefore(int block) {
    int to = (int) ((long) r * n * (block + 1) / blocks());
    for (int i = (int) ((long) r * n * block / blocks()); i < to; i++) {
      y.put(i, y.get(i) + before.get(i));
    }
  }

  private void write(int block, Doubles leading, Doubles change) {
    int rest = n - r;
    for (int i = first(block); i < first(block + 1); i++) {
      int row = (k * n + i) * n;
      for (int j = 0; j < rest; j++) {
        vectors.put(row + j, vectors.get(row + j) - change.get(i * rest + j));
      }
    }
    for (int j = 0; j < r; j++) {
      for (int i = first(block); i < first(block + 1); i++) {
        vectors.put((k * n + i) * n + rest + j, leading.get(j * n + i));
      }
    }
  }

  private double[] inOrder(Doubles descending) {
    double[] elements = new double[r * r];
    Arrays.setAll(elements, i -> descending.get((r - 1 - i / r) * r + i % r));
    return elements;
  }

  /** What came of it, once everything has run. */
  public Renewal result() {
    return accepted ? new Renewal(true, share, ritzValues, rotation) : Renewal.refused(share);
  }

  /** Stages that call LAPACK. */
  private static final class DeepStages extends Stages {
    @Override
    public boolean deepStack() {
      return true;
    }
  }
}
