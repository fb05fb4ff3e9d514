package io.github.kfac4j.pytorch;

import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Tensor;

/** {@code torch::nn::Linear}. */
record LinearSite(LinearImpl module) implements Site {
  @Override
  public Tensor weight() {
    return module.weight();
  }

  @Override
  public Tensor bias() {
    return module.bias();
  }

  @Override
  public Tensor forward(Tensor x) {
    return module.forward(x);
  }

  @Override
  public Layer describe(boolean withBias) {
    int[] weight = Sizes.ints(Sizes.of(weight()));
    return new Dense(weight[1], weight[0], withBias);
  }

  @Override
  public int[] shape(long[] sizes) {
    return Sizes.batched(sizes, 2);
  }
}
