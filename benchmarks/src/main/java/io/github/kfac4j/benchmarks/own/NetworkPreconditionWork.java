package io.github.kfac4j.benchmarks.own;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.NetworkCase;
import io.github.kfac4j.benchmarks.cases.NetworkInputs;
import io.github.kfac4j.benchmarks.run.Work;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** {@code G^-1 dW A^-1} of all layers. */
final class NetworkPreconditionWork implements Work {
  private final Backend backend;
  private final List<LayerTensors> layers = new ArrayList<>();
  private final List<PreconditionRequest> steps = new ArrayList<>();

  NetworkPreconditionWork(Backend backend, TensorMemory memory, NetworkCase c, long seed) {
    this.backend = backend;
    NetworkInputs data = new NetworkInputs(c, new Inputs(seed));
    for (int k = 0; k < c.layers().size(); k++) {
      LayerTensors tensors = new LayerTensors(memory, c, data, k);
      layers.add(tensors);
      steps.add(step(tensors, memory, c, data, k));
    }
  }

  private PreconditionRequest step(
      LayerTensors tensors, TensorMemory memory, NetworkCase c, NetworkInputs data, int k) {
    Layer layer = tensors.shape.toLayer();
    Tensor weight =
        memory.tensor(memory.read(tensors.weight), layer.outputDim(), tensors.shape.cols());
    Tensor bias = layer.bias() ? memory.tensor(memory.read(tensors.bias), layer.outputDim()) : null;
    return new PreconditionRequest(
        KfacContender.stack(backend, data.gInverse(k), layer.outputDim(), layer.outputDim()),
        KfacContender.stack(backend, data.aInverse(k), layer.inputDim(), layer.inputDim()),
        1,
        new Gradient(weight, bias),
        new Gradient(tensors.weight, tensors.bias));
  }

  @Override
  public void run() {
    backend.precondition(steps);
  }

  @Override
  public float[] result(int index) {
    return layers.get(index).joined();
  }

  @Override
  public void close() {
    for (PreconditionRequest step : steps) {
      step.gInverse().close();
      step.aInverse().close();
    }
  }
}
