package io.github.kfac4j.cuda.preconditioning;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.Conversion;
import io.github.kfac4j.cuda.calls.CudaMatrixStack;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.context.CudaContext;
import io.github.kfac4j.cuda.matrix.BasisColumns;
import io.github.kfac4j.cuda.matrix.Gemm.Matrices;
import io.github.kfac4j.cuda.matrix.WideGradient;
import java.util.List;

/**
 * Preconditioning in a Kronecker basis: {@code U = Qg [(Qg' dW Qa) / (s M + damping)] Qa'}, in fp64
 * from the gradient to the result: what rounding leaves of the gradient in the null space of the
 * factors is divided by the damping alone. Conversions and divisions take one launch each for all
 * layers, products one a layer.
 */
public final class BasisPreconditioning {
  private final BasisPreconditionRequest step;
  private final CudaMatrixStack moments;
  private final WideGradient x;

  /** Null for the identity. */
  private final Matrices g;

  private final Matrices a;

  private BasisPreconditioning(BasisPreconditionRequest step, Call call) {
    this.step = step;
    this.moments = call.stack(step.moments());
    this.x = new WideGradient(moments.count(), moments.rows(), moments.cols(), call);
    this.g = basis(step.gBasis(), moments.rows(), call);
    this.a = basis(step.aBasis(), moments.cols(), call);
  }

  private static Matrices basis(Basis basis, int n, Call call) {
    return basis == null ? null : Matrices.of(BasisColumns.of(basis, call), n, n);
  }

  /** Runs all steps; returns for each the inner product of U and dW. */
  public static double[] run(List<BasisPreconditionRequest> steps, CudaContext context) {
    try (Call call = new Call(context)) {
      List<BasisPreconditioning> all =
          steps.stream().map(step -> new BasisPreconditioning(step, call)).toList();
      Conversion conversion = new Conversion(call);
      long inner = call.take((long) steps.size() * Double.BYTES);
      conversion.copy(all.stream().flatMap(p -> p.x.reads(p.step.gradient()).stream()).toList());
      all.forEach(BasisPreconditioning::toBasis);
      divide(all, inner, call);
      all.forEach(BasisPreconditioning::fromBasis);
      conversion.copy(all.stream().flatMap(p -> p.x.writes(p.step.result()).stream()).toList());
      double[] inners = call.readDoubles(inner, steps.size());
      call.finish();
      return inners;
    }
  }

  private void toBasis() {
    if (g != null) {
      x.left(g.transpose());
    }
    if (a != null) {
      x.right(a, 1);
    }
  }

  private void fromBasis() {
    if (g != null) {
      x.left(g);
    }
    if (a != null) {
      x.right(a.transpose(), 1);
    }
  }

  private static void divide(List<BasisPreconditioning> all, long inner, Call call) {
    int count = all.size();
    if (count == 0) {
      return;
    }
    call.run(
        Verb.DIVIDE,
        count + " layers",
        count,
        (request, i) -> {
          BasisPreconditioning one = all.get(i);
          request
              .moments(Address.pointer(one.moments.address()))
              .x(Address.doubles(one.x.address()))
              .inner(Address.doubles(inner + (long) i * Double.BYTES))
              .scale(one.step.scale())
              .damping(one.step.damping())
              .size(one.x.size())
              .dtype(one.moments.dtype());
        });
  }
}
