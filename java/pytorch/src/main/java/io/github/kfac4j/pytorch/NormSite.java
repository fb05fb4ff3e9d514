package io.github.kfac4j.pytorch;

import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.layer.ScaleShift.Structure;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.pytorch.BatchNorm1dImpl;
import org.bytedeco.pytorch.BatchNorm2dImpl;
import org.bytedeco.pytorch.BatchNorm3dImpl;
import org.bytedeco.pytorch.GroupNormImpl;
import org.bytedeco.pytorch.InstanceNorm1dImpl;
import org.bytedeco.pytorch.InstanceNorm2dImpl;
import org.bytedeco.pytorch.InstanceNorm3dImpl;
import org.bytedeco.pytorch.LayerNormImpl;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * The normalisations of {@code torch::nn}, whose scale and shift are the layer. Their weight
 * multiplies the normalised input, which is computed once more, without scale and shift.
 *
 * @param last dimensions that the weight has, at the end of the input's; 0 if it has that of the
 *     channels, which is the second
 * @param rank of a batched input, at least
 */
record NormSite(ModuleCalls module, UnaryOperator<Tensor> normalise, int last, int rank)
    implements ModuleCalls.Called {

  static Site of(LayerNormImpl m) {
    return new NormSite(
        new ModuleCalls(m::weight, m::bias, m::forward),
        x -> {
          long[] shape = Sizes.of(m.weight());
          double eps = m.options().eps().get();
          return torch.layer_norm(x, shape, none(), none(), eps, false);
        },
        Math.toIntExact(m.options().normalized_shape().size()),
        2);
  }

  static Site of(GroupNormImpl m) {
    return new NormSite(
        new ModuleCalls(m::weight, m::bias, m::forward),
        x -> {
          long groups = m.options().num_groups().get();
          return torch.group_norm(x, groups, none(), none(), m.options().eps().get(), false);
        },
        0,
        2);
  }

  /** The statistics that batch and instance normalisations use now. */
  private record Running(Tensor mean, Tensor variance, Module module, DoublePointer eps) {
    /** Whether they are those of the input. */
    private boolean fresh() {
      return module.is_training() || !mean.defined();
    }

    private TensorOptional kept(Tensor statistics) {
      return fresh() ? none() : new TensorOptional(statistics);
    }

    Tensor batch(Tensor x) {
      return torch.batch_norm(
          x, none(), none(), kept(mean), kept(variance), fresh(), 0, eps.get(), false);
    }

    Tensor instance(Tensor x) {
      return torch.instance_norm(
          x, none(), none(), kept(mean), kept(variance), fresh(), 0, eps.get(), false);
    }
  }

  private static Site batch(ModuleCalls module, Supplier<Running> now) {
    return new NormSite(module, x -> now.get().batch(x), 0, 2);
  }

  private static Site instance(ModuleCalls module, Supplier<Running> now, int rank) {
    UnaryOperator<Tensor> normalise = x -> now.get().instance(x.dim() < rank ? x.unsqueeze(0) : x);
    return new NormSite(module, normalise, 0, rank);
  }

  static Site of(BatchNorm1dImpl m) {
    return batch(
        new ModuleCalls(m::weight, m::bias, m::forward),
        () -> new Running(m.running_mean(), m.running_var(), m, m.options().eps()));
  }

  static Site of(BatchNorm2dImpl m) {
    return batch(
        new ModuleCalls(m::weight, m::bias, m::forward),
        () -> new Running(m.running_mean(), m.running_var(), m, m.options().eps()));
  }

  static Site of(BatchNorm3dImpl m) {
    return batch(
        new ModuleCalls(m::weight, m::bias, m::forward),
        () -> new Running(m.running_mean(), m.running_var(), m, m.options().eps()));
  }

  static Site of(InstanceNorm1dImpl m) {
    return instance(
        new ModuleCalls(m::weight, m::bias, m::forward),
        () -> new Running(m.running_mean(), m.running_var(), m, m.options().eps()),
        3);
  }

  static Site of(InstanceNorm2dImpl m) {
    return instance(
        new ModuleCalls(m::weight, m::bias, m::forward),
        () -> new Running(m.running_mean(), m.running_var(), m, m.options().eps()),
        4);
  }

  static Site of(InstanceNorm3dImpl m) {
    return instance(
        new ModuleCalls(m::weight, m::bias, m::forward),
        () -> new Running(m.running_mean(), m.running_var(), m, m.options().eps()),
        5);
  }

  private static TensorOptional none() {
    return new TensorOptional();
  }

  @Override
  public Layer describe(boolean withBias) {
    int channels = Math.toIntExact(weight().numel());
    return new ScaleShift(channels, Structure.UNIT_WISE, withBias, last > 0, 1);
  }

  @Override
  public Tensor seen(Tensor x) {
    return normalise.apply(x.detach());
  }

  /** The dimensions of the weight become one. */
  @Override
  public int[] shape(long[] sizes) {
    if (last == 0) {
      return Sizes.batched(sizes, rank);
    }
    int kept = sizes.length - last;
    long[] joined = Arrays.copyOf(sizes, kept + 1);
    joined[kept] = 1;
    for (int i = kept; i < sizes.length; i++) {
      joined[kept] *= sizes[i];
    }
    return Sizes.batched(joined, rank);
  }
}
