package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.cpu.matrix.BasisMatrix;
import io.github.kfac4j.cpu.matrix.Wide;
import io.github.kfac4j.cpu.matrix.WideGemm;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.scheduling.Product;

/** A change of basis in fp64. */
final class WideBasis extends ChangeOfBasis<Doubles, Wide> {
  WideBasis(Basis gBasis, Basis aBasis, int groups, int rows, int cols, Arena shared) {
    super(gBasis, aBasis, groups, rows, cols, shared::takeDoubles);
  }

  @Override
  Doubles plus(Doubles place, long distance) {
    return place.plus(distance);
  }

  @Override
  Wide operand(Doubles place, int cols) {
    return Wide.of(place, cols);
  }

  @Override
  Wide first(BasisMatrix q) {
    return q.wideFirst();
  }

  @Override
  Wide second(BasisMatrix q) {
    return q.wideSecond();
  }

  @Override
  Product product(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      int alpha,
      Wide a,
      Wide b,
      int beta,
      Doubles c) {
    return new WideGemm(transposeA, transposeB, m, n, k, alpha, a, b, c, n, beta);
  }
}
