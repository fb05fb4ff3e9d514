package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.cpu.matrix.BasisMatrix;
import io.github.kfac4j.cpu.matrix.Gemm;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.scheduling.Product;

/** A change of basis in fp32. */
final class NarrowBasis extends ChangeOfBasis<Floats, NarrowBasis.Rows> {
  NarrowBasis(Basis gBasis, Basis aBasis, int groups, int rows, int cols, Arena shared) {
    super(gBasis, aBasis, groups, rows, cols, shared::take);
  }

  /** Rows a stride apart. */
  record Rows(Floats elements, int stride) {}

  @Override
  Floats plus(Floats place, long distance) {
    return place.plus(distance);
  }

  @Override
  Rows operand(Floats place, int cols) {
    return new Rows(place, cols);
  }

  @Override
  Rows first(BasisMatrix q) {
    return new Rows(q.first(), q.stride());
  }

  @Override
  Rows second(BasisMatrix q) {
    return new Rows(q.second(), q.stride());
  }

  @Override
  Product product(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      int alpha,
      Rows a,
      Rows b,
      int beta,
      Floats c) {
    return new Gemm(
        transposeA,
        transposeB,
        m,
        n,
        k,
        alpha,
        a.elements,
        a.stride,
        b.elements,
        b.stride,
        beta,
        c,
        n);
  }
}
