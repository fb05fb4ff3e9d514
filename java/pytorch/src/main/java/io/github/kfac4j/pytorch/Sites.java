package io.github.kfac4j.pytorch;

import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.bytedeco.pytorch.BatchNorm1dImpl;
import org.bytedeco.pytorch.BatchNorm2dImpl;
import org.bytedeco.pytorch.BatchNorm3dImpl;
import org.bytedeco.pytorch.Conv1dImpl;
import org.bytedeco.pytorch.Conv2dImpl;
import org.bytedeco.pytorch.ConvTranspose1dImpl;
import org.bytedeco.pytorch.ConvTranspose2dImpl;
import org.bytedeco.pytorch.EmbeddingImpl;
import org.bytedeco.pytorch.GroupNormImpl;
import org.bytedeco.pytorch.InstanceNorm1dImpl;
import org.bytedeco.pytorch.InstanceNorm2dImpl;
import org.bytedeco.pytorch.InstanceNorm3dImpl;
import org.bytedeco.pytorch.LayerNormImpl;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Module;

/** Finds what K-FAC has of a module. */
final class Sites {
  /** For messages. */
  static final String KNOWN =
      "known are Linear, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Embedding, BatchNorm,"
          + " InstanceNorm, LayerNorm and GroupNorm";

  private static final List<Function<Module, Site>> KINDS =
      List.of(
          m -> site(m, LinearImpl.class, Module::asLinear, LinearSite::new),
          m -> site(m, Conv1dImpl.class, Module::asConv1d, ConvSite::of),
          m -> site(m, Conv2dImpl.class, Module::asConv2d, ConvSite::of),
          m -> site(m, ConvTranspose1dImpl.class, Module::asConvTranspose1d, ConvSite::of),
          m -> site(m, ConvTranspose2dImpl.class, Module::asConvTranspose2d, ConvSite::of),
          m -> site(m, EmbeddingImpl.class, Module::asEmbedding, EmbeddingSite::new),
          m -> site(m, LayerNormImpl.class, Module::asLayerNorm, NormSite::of),
          m -> site(m, GroupNormImpl.class, Module::asGroupNorm, NormSite::of),
          m -> site(m, BatchNorm1dImpl.class, Module::asBatchNorm1d, NormSite::of),
          m -> site(m, BatchNorm2dImpl.class, Module::asBatchNorm2d, NormSite::of),
          m -> site(m, BatchNorm3dImpl.class, Module::asBatchNorm3d, NormSite::of),
          m -> site(m, InstanceNorm1dImpl.class, Module::asInstanceNorm1d, NormSite::of),
          m -> site(m, InstanceNorm2dImpl.class, Module::asInstanceNorm2d, NormSite::of),
          m -> site(m, InstanceNorm3dImpl.class, Module::asInstanceNorm3d, NormSite::of));

  private Sites() {}

  /** A module as K-FAC sees it; null if it is of no kind that K-FAC knows. */
  static Site of(Module module) {
    return KINDS.stream()
        .map(kind -> kind.apply(module))
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  /** A module that a list returned has the general type; a subclass may compute anything. */
  private static <M extends Module> Site site(
      Module module, Class<M> type, Function<Module, M> cast, Function<M, Site> make) {
    M typed = null;
    if (module.getClass() == type) {
      typed = type.cast(module);
    } else if (module.getClass() == Module.class) {
      typed = cast.apply(module);
    }
    return typed == null || typed.isNull() ? null : make.apply(typed);
  }
}
