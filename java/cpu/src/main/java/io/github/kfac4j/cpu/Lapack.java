package io.github.kfac4j.cpu;

import static org.bytedeco.openblas.global.openblas.*;

import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Eigenvalues and eigenvectors in fp64, for {@link Eigen}. LAPACK is column-major: eigenvectors as
 * its columns are rows here, and a symmetric matrix is its own transpose.
 */
final class Lapack {
  private static final byte VECTORS = 'V';
  private static final byte ALL = 'A';
  private static final byte UPPER = 'U';

  private Lapack() {}

  private static final class Place extends DoublePointer {
    Place(Doubles place) {
      super((Pointer) null);
      address = place.address();
    }
  }

  private static final class Integers extends IntPointer {
    Integers(int length, Arena scratch) {
      super((Pointer) null);
      address = scratch.takeAddress(length);
    }
  }

  /** Divide and conquer: the fastest. */
  static int syevd(int n, Doubles matrix, Doubles values, Arena scratch) {
    int length = Math.toIntExact(1 + 6L * n + 2L * n * n);
    int integers = 3 + 5 * n;
    return checked(
        "dsyevd",
        LAPACKE_dsyevd_work(
            LAPACK_COL_MAJOR,
            VECTORS,
            UPPER,
            n,
            new Place(matrix),
            n,
            new Place(values),
            new Place(scratch.takeDoubles(length)),
            length,
            new Integers(integers, scratch),
            integers));
  }

  /** Relatively robust representations: another algorithm, for what the first fails on. */
  static int syevr(int n, Doubles matrix, Doubles values, Arena scratch) {
    int size = n * n;
    int length = 26 * n;
    int integers = 10 * n;
    Doubles vectors = scratch.takeDoubles(size);
    Integers found = new Integers(1, scratch);
    int info =
        checked(
            "dsyevr",
            LAPACKE_dsyevr_work(
                LAPACK_COL_MAJOR,
                VECTORS,
                ALL,
                UPPER,
                n,
                new Place(matrix),
                n,
                0,
                0,
                0,
                0,
                0,
                found,
                new Place(values),
                new Place(vectors),
                n,
                new Integers(2 * n, scratch),
                new Place(scratch.takeDoubles(length)),
                length,
                new Integers(integers, scratch),
                integers));
    matrix.buffer().put(matrix.start(), vectors.buffer(), vectors.start(), size);
    return info == 0 && found.get() != n ? 1 : info;
  }

  private static int checked(String routine, int info) {
    if (info < 0) {
      throw new IllegalStateException(routine + ": argument " + -info + " is invalid");
    }
    return info;
  }
}
