package io.github.kfac4j.dl4j;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.trainer.ModelGradients;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Trainable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The gradients of a network, which are sums over the batch: its updater divides them later, unless
 * it was configured with {@code miniBatch(false)}.
 */
final class Gradients implements ModelGradients {
  private final Network network;
  private final Supplier<List<Tap>> taps;

  /**
   * Those of a network.
   *
   * @param taps the layers that K-FAC has
   */
  Gradients(Network network, Supplier<List<Tap>> taps) {
    this.network = network;
    this.taps = taps;
  }

  @Override
  public void multiply(double factor) {
    each(gradient -> gradient.muli(factor));
  }

  @Override
  public void clear() {
    each(gradient -> gradient.assign(0));
  }

  /** Those that are gradients: the "gradients" of running means are what to change them by. */
  private void each(Consumer<INDArray> change) {
    for (Trainable one : network.trainables()) {
      if (one.numParams() == 0 || one.getGradientsViewArray() == null) {
        continue;
      }
      INDArray all = one.getGradientsViewArray();
      INDArray flat = all.reshape(all.length());
      long offset = 0;
      for (Map.Entry<String, INDArray> parameter : one.paramTable(false).entrySet()) {
        long end = offset + parameter.getValue().length();
        if (one.updaterDivideByMinibatch(parameter.getKey())) {
          change.accept(flat.get(NDArrayIndex.interval(offset, end)));
        }
        offset = end;
      }
    }
  }

  @Override
  public Layers ofLayers() {
    return new Means(taps.get(), network.divisor());
  }

  /** Means over the batch, which become sums again. */
  private static final class Means implements Layers {
    private final double divisor;
    private final List<LayerGradient> layers = new ArrayList<>();
    private final List<HostArray> arrays = new ArrayList<>();

    Means(List<Tap> taps, double divisor) {
      this.divisor = divisor;
      for (Tap tap : taps) {
        HostTensor weight = mean(tap.weightGradient());
        INDArray bias = tap.biasGradient();
        layers.add(new LayerGradient(tap.name(), weight, bias == null ? null : mean(bias)));
      }
    }

    private HostTensor mean(INDArray sum) {
      HostArray array = HostArray.of(sum);
      array.data().divi(divisor);
      arrays.add(array);
      return array.tensor();
    }

    @Override
    public List<LayerGradient> layers() {
      return layers;
    }

    @Override
    public void store() {
      for (HostArray array : arrays) {
        array.data().muli(divisor);
        array.store();
        array.close();
      }
    }
  }
}
