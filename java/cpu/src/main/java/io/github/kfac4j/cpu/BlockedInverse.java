package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Status;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * The damped inverse of one large matrix, cut into blocks for all threads: Cholesky factor L,
 * column by column of blocks; L^-1, row by row; then the product L^-T L^-1, all its blocks at once.
 * All products run over as long a dimension as there is, n^3 multiplications and additions in all.
 */
final class BlockedInverse implements Plan {
  private static final int BLOCK = 256;

  private final DampedMatrix matrix;
  private final int n;
  private final Floats inverse;
  private final Consumer<Status> result;
  private final int blocks;
  private final int side;

  /** The matrix, then L, then L^-1; blocks above the diagonal are never read. */
  private final Floats work;

  /** One row of blocks of L, while its place receives L^-1; two, taken in turn. */
  private final Floats[] rows = new Floats[2];

  /** Why there will be no inverse; the tasks that are left do nothing. */
  private final AtomicReference<Status> failure = new AtomicReference<>();

  BlockedInverse(DampedMatrix matrix, Floats inverse, Arena shared, Consumer<Status> result) {
    this.matrix = matrix;
    this.n = matrix.n();
    this.inverse = inverse;
    this.result = result;
    this.blocks = (n + BLOCK - 1) / BLOCK;
    this.side = (n + blocks - 1) / blocks;
    this.work = shared.take((long) n * n);
    this.rows[0] = shared.take((long) side * n);
    this.rows[1] = shared.take((long) side * n);
  }

  // Phases: 0 loads; then three for each column of L; then, one behind the other, each row of L^-1
  // and the preparation of the next; then the check; then the product.

  private int firstRowPhase() {
    return 1 + 3 * blocks;
  }

  private int checkPhase() {
    return firstRowPhase() + blocks + 1;
  }

  @Override
  public int phases() {
    return checkPhase() + 2;
  }

  @Override
  public int tasks(int phase) {
    if (failure.get() != null || phase == checkPhase()) {
      return phase >= checkPhase() ? 1 : 0;
    }
    if (phase == 0) {
      return blocks;
    }
    if (phase > checkPhase()) {
      return blocks * (blocks + 1) / 2;
    }
    int next = phase - firstRowPhase();
    if (next >= 0) {
      return Math.max(0, next - 1) + (next < blocks ? 1 : 0);
    }
    int column = (phase - 1) / 3;
    return switch ((phase - 1) % 3) {
      case 0 -> column == 0 ? 0 : blocks - column;
      case 1 -> 1;
      default -> blocks - column - 1;
    };
  }

  @Override
  public void run(int phase, int task, Arena scratch) {
    if (failure.get() != null) {
      result.accept(failure.get());
    } else if (phase == 0) {
      load(task);
    } else if (phase < firstRowPhase()) {
      int column = (phase - 1) / 3;
      switch ((phase - 1) % 3) {
        case 0 -> update(column + task, column);
        case 1 -> factorise(column);
        default -> solve(column + 1 + task, column);
      }
    } else if (phase < checkPhase()) {
      int next = phase - firstRowPhase();
      if (task < next - 1) {
        invertBlock(next - 1, task);
      } else {
        prepareRow(next);
      }
    } else if (phase == checkPhase()) {
      check();
    } else {
      int i = 0;
      int j = task;
      while (j > i) {
        i++;
        j -= i;
      }
      product(i, j);
      result.accept(Status.OK);
    }
  }

  private int start(int block) {
    return block * side;
  }

  private int size(int block) {
    return Math.min(side, n - start(block));
  }

  private Floats block(int i, int j) {
    return work.plus((long) start(i) * n + start(j));
  }

  private void load(int block) {
    int first = start(block);
    int last = first + size(block);
    matrix.load(first, last, work);
    if (!Finite.all(work.plus((long) first * n), (last - first) * n)) {
      failure.set(Status.NOT_FINITE);
    }
    // later products read whole blocks of the diagonal
    for (int i = first; i < last; i++) {
      work.plus((long) i * n + i + 1).fill(last - i - 1, 0);
    }
  }

  /** {@code A_ik -= sum over j < k of L_ij L_kj'}. */
  private void update(int i, int k) {
    int depth = start(k);
    if (i == k) {
      Blas.syrk(false, size(k), depth, -1, block(k, 0), n, 1, block(k, k), n);
    } else {
      Floats c = block(i, k);
      Blas.gemm(false, true, size(i), size(k), depth, -1, block(i, 0), n, block(k, 0), n, 1, c, n);
    }
  }

  private void factorise(int k) {
    int pivot = Blas.potrf(size(k), block(k, k), n);
    if (pivot > 0) {
      failure.set(Status.notPositiveDefinite(start(k) + pivot - 1));
    }
  }

  private void solve(int i, int k) {
    Blas.trsmRightTransposed(size(i), size(k), block(k, k), n, block(i, k), n);
  }

  /** Copies a row of L away and inverts its diagonal block. */
  private void prepareRow(int i) {
    for (int r = 0; r < size(i); r++) {
      rows[i % 2].plus((long) r * n).copy(work.plus((long) (start(i) + r) * n), start(i));
    }
    int pivot = Blas.trtri(size(i), block(i, i), n);
    if (pivot > 0) {
      failure.set(Status.notPositiveDefinite(start(i) + pivot - 1));
    }
  }

  /** {@code X_ij = -X_ii sum over k in [j, i) of L_ik X_kj}. */
  private void invertBlock(int i, int j) {
    int depth = start(i) - start(j);
    Floats l = rows[i % 2].plus(start(j));
    Floats x = block(i, j);
    Blas.gemm(false, false, size(i), size(j), depth, 1, l, n, block(j, j), n, 0, x, n);
    Blas.trmmLeft(false, size(i), size(j), -1, block(i, i), n, x, n);
  }

  /** No element of the inverse is larger than the sum of squares of L^-1. */
  private void check() {
    double squares = 0;
    for (int i = 0; i < n; i++) {
      squares += Blas.squares(i + 1, work.plus((long) i * n));
    }
    if (!(squares <= Float.MAX_VALUE)) {
      failure.set(Status.NOT_FINITE);
    }
  }

  /** {@code inverse_ij = sum over k >= i of X_ki' X_kj}, and its transpose. */
  private void product(int i, int j) {
    int depth = n - start(i);
    Floats c = inverse.plus((long) start(i) * n + start(j));
    if (i == j) {
      Blas.syrk(true, size(i), depth, 1, block(i, i), n, 0, c, n);
      Matrices.mirrorLower(c, size(i), n);
    } else {
      Blas.gemm(true, false, size(i), size(j), depth, 1, block(i, i), n, block(i, j), n, 0, c, n);
      Floats mirrored = inverse.plus((long) start(j) * n + start(i));
      Matrices.transpose(c, n, size(i), size(j), mirrored, n);
    }
  }
}
