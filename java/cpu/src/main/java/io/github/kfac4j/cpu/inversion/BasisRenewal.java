package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import io.github.kfac4j.cpu.matrix.BasisMatrix;
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
 * leading ones by falling eigenvalues: QR clears a vector only of those with larger ones, whose
 * changes it would else be drowned in. To be run in turn: {@link #find}, and {@link #replace} if
 * all of a request are {@link #acceptable}.
 */
public final class BasisRenewal {
  private static final int ROWS = 64;

  private final RenewRequest request;
  private final CpuMatrixStack source;
  private final CpuMatrixStack target;
  private final BasisMatrix old;
  private final int k;
  private final int n;
  private final int r;

  /** {@code [r, n]}: the leading vectors of before, if there are any. */
  private final Doubles before;

  /** {@code [r, n]}: the vectors that are iterated, and their products with A, at last new ones. */
  private final Doubles y;

  private final Doubles product;

  /** {@code [r, r]}: {@code Y A Y'}, then Ritz vectors as rows; the rotation. */
  private final Doubles ritz;

  private final Doubles rotation;

  private final double[] squares;
  private final double[] traces;
  private final double[] values;
  private double share = Double.NaN;
  private boolean acceptable;

  /** A plan with memory of its own for matrix {@code k} of a request. */
  public BasisRenewal(RenewRequest request, int k, Arena shared) {
    this.request = request;
    this.source = CpuMatrixStack.of(request.source());
    this.target = CpuMatrixStack.of(request.basis().matrices());
    this.old = BasisMatrix.of(request.basis(), k);
    this.k = k;
    this.n = old.n();
    this.r = request.leading();
    this.before = request.beginsAnew() ? null : shared.takeDoubles((long) r * n);
    this.y = shared.takeDoubles((long) r * n);
    this.product = request.isWhole() ? null : shared.takeDoubles((long) r * n);
    this.ritz = request.isWhole() ? null : shared.takeDoubles((long) r * r);
    this.rotation = shared.takeDoubles((long) r * r);
    this.squares = new double[blocks()];
    this.traces = new double[blocks()];
    this.values = new double[r];
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

  /** New vectors and all that decides whether they are accepted. */
  public Plan find() {
    Stages plan = new DeepStages();
    plan.add(blocks(), this::readSource);
    if (request.isWhole()) {
      plan.add(1, (task, scratch) -> decompose(scratch));
    } else {
      start(plan);
      int iterations = request.beginsAnew() ? RenewRequest.FIRST : 1;
      for (int i = 0; i < iterations; i++) {
        addProduct(plan);
        plan.add(1, (task, scratch) -> orthonormalise(scratch));
      }
      addProduct(plan);
      plan.add(List.of(times(true, r, r, n, Wide.of(product, n), Wide.of(y, n), ritz)));
      plan.add(1, (task, scratch) -> decide(scratch));
      // the products with A are of no more use
      plan.add(List.of(times(false, r, n, r, Wide.of(ritz, r), Wide.of(y, n), product)));
    }
    Doubles vectors = request.isWhole() ? y : product;
    if (before != null) {
      plan.add(List.of(times(true, r, r, n, Wide.of(before, n), Wide.of(vectors, n), rotation)));
    }
    return plan;
  }

  private void addProduct(Stages plan) {
    plan.add(List.of(times(false, r, n, n, Wide.of(y, n), Wide.of(source, k), product)));
  }

  private void readSource(int block) {
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
    squares[block] = sum;
    traces[block] = trace;
  }

  /** Of a whole basis everything is new; only the rotation knows of the old one. */
  private void decompose(Arena scratch) {
    for (int i = 0; i < n * n; i++) {
      before.put(i, target.get(k * n * n + i % n * n + i / n));
    }
    double all = Arrays.stream(squares).sum();
    y.setScaled(0, source.matrix(k), 0, 1, n * n);
    Doubles found = scratch.takeDoubles(n);
    if (Double.isFinite(all) && DoubleBlas.syevd(n, y, found, scratch) == 0) {
      Arrays.setAll(values, found::get);
      judge(all);
    }
  }

  private void judge(double all) {
    share = Renewal.share(all, Arrays.stream(values).map(d -> d * d).sum());
    acceptable = share <= request.maxShare();
  }

  /** The leading vectors of before, {@code I - V W'} on the first r unit vectors; or signs. */
  private void start(Stages plan) {
    if (before == null) {
      plan.add(
          r,
          i -> {
            for (int j = 0; j < n; j++) {
              y.put(i * n + j, RenewRequest.sign(i, j));
            }
          });
      return;
    }
    plan.add(
        r,
        i -> {
          for (int j = 0; j < n; j++) {
            before.put(i * n + j, i == j ? 1 : 0);
          }
        });
    Wide w = old.wideSecond();
    Wide v = old.wideFirst();
    plan.add(List.of(new WideGemm(false, true, r, n, r, -1, w, v, before, n, 1)));
    plan.add(
        r,
        i -> {
          for (int j = i * n; j < (i + 1) * n; j++) {
            y.put(j, before.get(j));
          }
        });
  }

  private void orthonormalise(Arena scratch) {
    double shift = Renewal.SHIFT * Math.max(0, Arrays.stream(traces).sum()) / n;
    if (!Double.isFinite(Arrays.stream(squares).sum())) {
      return;
    }
    for (int i = 0; i < r * n; i++) {
      y.put(i, product.get(i) + shift * y.get(i));
    }
    DoubleBlas.orthonormalRows(r, n, y, scratch);
  }

  private void decide(Arena scratch) {
    double all = Arrays.stream(squares).sum();
    Doubles found = scratch.takeDoubles(r);
    if (!Double.isFinite(all) || DoubleBlas.syevd(r, ritz, found, scratch) != 0) {
      return;
    }
    for (int i = 0; i < r / 2; i++) { // from rising to falling
      for (int j = 0; j < r; j++) {
        double swap = ritz.get(i * r + j);
        ritz.put(i * r + j, ritz.get((r - 1 - i) * r + j));
        ritz.put((r - 1 - i) * r + j, swap);
      }
    }
    Arrays.setAll(values, i -> found.get(r - 1 - i));
    judge(all);
  }

  /** Whether the new vectors are good, once {@link #find} has run. */
  public boolean acceptable() {
    return acceptable;
  }

  /** Puts the new basis in the place of the old. */
  public Plan replace() {
    Stages plan = new DeepStages();
    if (request.isWhole()) {
      plan.add(blocks(), block -> write(block, y, n, 0));
      return plan;
    }
    Doubles v = y;
    Doubles w = product;
    plan.add(1, (task, scratch) -> DoubleBlas.reflections(r, n, w, ritz, scratch));
    plan.add(List.of(times(false, r, n, r, Wide.of(ritz, r), Wide.of(w, n), v)));
    plan.add(
        blocks(),
        block -> {
          write(block, v, r, 0);
          write(block, w, r, n * r);
        });
    if (!old.isReflected()) {
      plan.add(blocks(), this::clear);
    }
    return plan;
  }

  /** Some rows of the transpose of {@code [width, n]}. */
  private void write(int block, Doubles rows, int width, int to) {
    for (int i = first(block); i < first(block + 1); i++) {
      for (int j = 0; j < width; j++) {
        target.put(k * n * n + to + i * width + j, rows.get(j * n + i));
      }
    }
  }

  /** What is left of a basis of columns. */
  private void clear(int block) {
    int from = 2 * n * r;
    int size = n * n - from;
    for (long i = (long) size * block / blocks(); i < (long) size * (block + 1) / blocks(); i++) {
      target.put((int) (k * n * n + from + i), 0);
    }
  }

  /** What came of it, once everything has run. */
  public Renewal result(boolean accepted) {
    if (!accepted) {
      return Renewal.refused(share);
    }
    double[] elements = before == null ? null : new double[r * r];
    if (elements != null) {
      Arrays.setAll(elements, rotation::get);
    }
    return new Renewal(true, share, values, elements);
  }

  /** Stages that call LAPACK. */
  private static final class DeepStages extends Stages {
    @Override
    public boolean deepStack() {
      return true;
    }
  }
}
