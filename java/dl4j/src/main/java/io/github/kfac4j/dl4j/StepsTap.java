package io.github.kfac4j.dl4j;

import io.github.kfac4j.data.Observation;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A tap on a matrix of a {@code SimpleRnn}, whose backward pass computes the outputs of all time
 * steps once more and then goes back step by step, each time through the activation function.
 */
final class StepsTap extends Tap {
  private final org.deeplearning4j.nn.api.Layer layer;
  private final SimpleRnnSite site;

  /** {@code [N, out]} each, before the mask. */
  private final List<HostArray> outputs = new ArrayList<>();

  /** {@code [N, out]} each, of the last step first, before the mask. */
  private final List<HostArray> gradients = new ArrayList<>();

  private HostArray inputs;
  private HostArray mask;
  private HostArray seen;
  private HostArray outputGrads;

  StepsTap(String name, org.deeplearning4j.nn.api.Layer layer, SimpleRnnSite site, Ear ear) {
    super(name, layer, site, ear);
    this.layer = layer;
    this.site = site;
  }

  @Override
  void activated(INDArray output) {
    if (site.recurrent()) {
      outputs.add(HostArray.copy(output));
    }
  }

  @Override
  void hear(INDArray delta) {
    if (gradients.isEmpty()) {
      inputs = HostArray.copy(site.input(layer.input()));
      mask = layer.getMaskArray() == null ? null : HostArray.copy(layer.getMaskArray());
    }
    gradients.add(HostArray.copy(delta));
  }

  @Override
  boolean heard() {
    return !gradients.isEmpty();
  }

  /** Of all time steps, {@code [N, T, ...]}. */
  @Override
  @SuppressWarnings("try") // the scope directs what is made inside it
  Observation observation(double scale, int examples) {
    close(seen);
    close(outputGrads);
    try (MemoryWorkspace scope = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      int steps = gradients.size();
      seen = stacked(steps, t -> site.recurrent() ? state(t) : input(t));
      outputGrads = stacked(steps, t -> masked(gradients.get(steps - 1 - t), t));
    }
    return new Observation(name(), seen.tensor(), outputGrads.tensor(), scale, examples);
  }

  private static HostArray stacked(int steps, IntFunction<INDArray> step) {
    try (INDArray all =
        Nd4j.stack(1, IntStream.range(0, steps).mapToObj(step).toArray(INDArray[]::new))) {
      return HostArray.copy(all);
    }
  }

  private INDArray input(int t) {
    return inputs.data().get(NDArrayIndex.all(), NDArrayIndex.point(t), NDArrayIndex.all());
  }

  /** What the recurrent matrix was multiplied by: zeros in the first step. */
  private INDArray state(int t) {
    return t == 0 ? outputs.get(0).data().like() : masked(outputs.get(t - 1), t - 1);
  }

  private INDArray masked(HostArray rows, int t) {
    INDArray data = rows.data();
    return mask == null
        ? data
        : data.mulColumnVector(mask.data().getColumn(t, true).castTo(data.dataType()));
  }

  @Override
  void free() {
    outputs.forEach(HostArray::close);
    outputs.clear();
    gradients.forEach(HostArray::close);
    gradients.clear();
    close(inputs);
    close(mask);
    close(seen);
    close(outputGrads);
    inputs = null;
    mask = null;
    seen = null;
    outputGrads = null;
  }

  private static void close(HostArray array) {
    if (array != null) {
      array.close();
    }
  }
}
