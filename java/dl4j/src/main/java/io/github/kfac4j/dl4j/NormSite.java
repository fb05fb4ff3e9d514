package io.github.kfac4j.dl4j;

import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * {@code BatchNormalization}, whose scale and shift are the layer: its weight multiplies the input
 * normalised by the batch, which is computed once more.
 */
record NormSite(BatchNormalization layer) implements Site {
  @Override
  public Layer describe() {
    if (layer.isLockGammaBeta()) {
      throw new IllegalArgumentException("its scale and shift are locked");
    }
    return ScaleShift.of(Math.toIntExact(layer.getNOut()));
  }

  @Override
  public INDArray input(INDArray input) {
    INDArray x = channelsSecond(input);
    int[] others = x.rank() == 2 ? new int[] {0} : new int[] {0, 2, 3};
    long[] column = x.rank() == 2 ? new long[] {1, x.size(1)} : new long[] {1, x.size(1), 1, 1};
    INDArray mean = x.mean(others).reshape(column);
    INDArray deviation = Transforms.sqrt(x.var(false, others).addi(layer.getEps()), false);
    return x.sub(mean).divi(deviation.reshape(column));
  }

  @Override
  public INDArray outputGrad(INDArray delta) {
    return channelsSecond(delta);
  }

  private INDArray channelsSecond(INDArray array) {
    boolean last = array.rank() == 4 && layer.getCnn2DFormat() == CNN2DFormat.NHWC;
    return last ? array.permute(0, 3, 1, 2) : array;
  }

  @Override
  public String weightKey() {
    return BatchNormalizationParamInitializer.GAMMA;
  }

  @Override
  public String biasKey() {
    return BatchNormalizationParamInitializer.BETA;
  }
}
