package io.github.kfac4j.pytorch;

import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import org.bytedeco.pytorch.EmbeddingImpl;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** {@code torch::nn::Embedding}. */
record EmbeddingSite(EmbeddingImpl module) implements Site {
  @Override
  public Tensor weight() {
    return module.weight();
  }

  @Override
  public Tensor bias() {
    return new Tensor();
  }

  @Override
  public Tensor forward(Tensor rows) {
    return module.forward(rows);
  }

  @Override
  public Layer describe(boolean withBias) {
    if (module.options().sparse().get()) {
      throw new IllegalArgumentException("its gradient is sparse");
    }
    if (module.options().scale_grad_by_freq().get()) {
      throw new IllegalArgumentException("its gradient is scaled by frequency");
    }
    int[] weight = Sizes.ints(Sizes.of(weight()));
    return new Embedding(weight[0], weight[1]);
  }

  /** Positions of the padding row give its vector, but their gradients never reach it. */
  @Override
  public Tensor reaching(Tensor rows, Tensor outputGrad) {
    if (!module.options().padding_idx().has_value()) {
      return outputGrad;
    }
    Scalar padding = new Scalar(module.options().padding_idx().get());
    return outputGrad.mul(rows.ne(padding).unsqueeze(-1));
  }

  @Override
  public int[] shape(long[] sizes) {
    return Sizes.batched(sizes, 1);
  }
}
