package io.github.kfac4j.pytorch;

import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/**
 * What modules of several classes, which have no common one, are asked for alike.
 *
 * @param weight its parameter, which may change
 * @param bias likewise; undefined if there is none
 * @param forward its own forward pass
 */
record ModuleCalls(Supplier<Tensor> weight, Supplier<Tensor> bias, UnaryOperator<Tensor> forward) {

  /** A site whose module is known by its calls. */
  interface Called extends Site {
    /** The calls of its module. */
    ModuleCalls module();

    @Override
    default Tensor weight() {
      return module().weight.get();
    }

    @Override
    default Tensor bias() {
      return module().bias.get();
    }

    @Override
    default Tensor forward(Tensor x) {
      return module().forward.apply(x);
    }
  }
}
