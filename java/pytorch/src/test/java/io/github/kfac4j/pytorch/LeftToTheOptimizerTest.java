package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import java.util.Random;
import org.bytedeco.pytorch.Conv3dImpl;
import org.bytedeco.pytorch.Conv3dOptions;
import org.bytedeco.pytorch.EmbeddingImpl;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.MultiheadAttentionImpl;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Modules that no layer of K-FAC describes, or that it does not see running. */
class LeftToTheOptimizerTest {
  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private TorchKfac attach(Module net, String... leftOut) {
    return TorchKfac.attach(net, Nets.OPTIONS, Fisher.EMPIRICAL, backend, leftOut);
  }

  /** Layers that K-FAC has nothing for, or not exactly, beside one that it has. */
  private static final class Mixed extends Module {
    final Conv3dImpl conv;
    final EmbeddingImpl sparse;
    final LinearImpl head = register_module("head", new LinearImpl(3, 2));

    Mixed() {
      try (org.bytedeco.javacpp.LongPointer size = new org.bytedeco.javacpp.LongPointer(1, 1, 1)) {
        conv = register_module("conv", new Conv3dImpl(new Conv3dOptions(2, 2, size)));
      }
      org.bytedeco.pytorch.EmbeddingOptions options =
          new org.bytedeco.pytorch.EmbeddingOptions(4, 3);
      options.sparse().put(true);
      sparse = register_module("sparse", new EmbeddingImpl(options));
    }
  }

  @Test
  void whatCannotBeMappedIsLeftToTheOptimizer() {
    Mixed net = new Mixed();
    try (TorchKfac kfac = attach(net)) {
      assertThat(kfac.layers()).containsExactly("head");
      assertThat(kfac.unsupportedLayers())
          .containsExactly("conv (Conv3d)", "sparse (Embedding: its gradient is sparse)");
      Tensor rows = Tensor.create(new long[] {0, 1, 2});
      Tensor z = kfac.forward(net.head, kfac.forward(net.sparse, rows));
      z.mul(z).mean().backward();
      kfac.precondition();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> kfac.forward(net.conv, rows))
          .withMessageContaining("Conv3dImpl")
          .withMessageContaining("call its own forward()");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> kfac.forward(new LinearImpl(3, 2), Nets.gaussian(new Random(1), 2, 3)))
          .withMessageContaining("not part of the network");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> attach(net, "tail"))
          .withMessageContaining("no layer 'tail'; it has [head]");
    }
  }

  /** An attention of libtorch, which runs the matrix behind its heads by itself. */
  private static final class Attentive extends Module {
    final MultiheadAttentionImpl attention =
        register_module("attention", new MultiheadAttentionImpl(4, 2));
    final LinearImpl head = register_module("head", new LinearImpl(4, 2));
  }

  @Test
  void whatItsParentRunsIsLeftToTheOptimizer() {
    try (TorchKfac kfac = attach(new Attentive())) {
      assertThat(kfac.layers()).containsExactly("head");
      assertThat(kfac.unsupportedLayers())
          .contains("attention.out_proj (Linear: its parent runs it itself)");
    }
  }
}
