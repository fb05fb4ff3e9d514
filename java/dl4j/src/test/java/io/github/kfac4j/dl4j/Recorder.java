package io.github.kfac4j.dl4j;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** K-FAC in fp64 that keeps what an adapter hands it. */
final class Recorder implements KfacPreconditioner {
  private final KfacPreconditioner kfac;

  /** Layers by name. */
  final Map<String, Layer> layers;

  /** Of the last step, copied. */
  final List<Observation> observations = new ArrayList<>();

  /** Weight gradients of the last step as they came in, and as they went out. */
  final Map<String, double[]> plain = new HashMap<>();

  final Map<String, double[]> preconditioned = new HashMap<>();

  /** As the factory of an attachment. */
  Recorder(Map<String, Layer> layers, KfacOptions options) {
    this.layers = layers;
    this.kfac = new Kfac(Backends.require("java"), layers, options);
  }

  /** What was observed of a layer. */
  Observation observation(String layer) {
    return observations.stream().filter(one -> one.layer().equals(layer)).findFirst().orElseThrow();
  }

  private static HostTensor copy(Tensor tensor) {
    int[] shape = IntStream.range(0, tensor.shape().rank()).map(tensor.shape()::get).toArray();
    return HostTensor.of(((HostTensor) tensor).toArray(), shape);
  }

  @Override
  public void observe(List<Observation> batch, Share share) {
    observations.clear();
    for (Observation one : batch) {
      observations.add(
          new Observation(
              one.layer(),
              copy(one.input()),
              copy(one.outputGrad()),
              one.outputGradScale(),
              one.examples()));
    }
    kfac.observe(batch, share);
  }

  @Override
  public StepReport precondition(List<LayerGradient> gradients) {
    gradients.forEach(one -> plain.put(one.layer(), ((HostTensor) one.weight()).toArray()));
    StepReport report = kfac.precondition(gradients);
    gradients.forEach(
        one -> preconditioned.put(one.layer(), ((HostTensor) one.weight()).toArray()));
    return report;
  }

  @Override
  public KfacOptions options() {
    return kfac.options();
  }

  @Override
  public void reconfigure(KfacOptions changed) {
    kfac.reconfigure(changed);
  }

  @Override
  public long step() {
    return kfac.step();
  }

  @Override
  public boolean wantsObservations() {
    return kfac.wantsObservations();
  }

  @Override
  public boolean wantsRefresh() {
    return kfac.wantsRefresh();
  }

  @Override
  public void reweigh(double factor) {
    kfac.reweigh(factor);
  }

  @Override
  public List<LayerReport> refresh() {
    return kfac.refresh();
  }

  @Override
  public StepReport preview(List<LayerGradient> gradients) {
    return kfac.preview(gradients);
  }

  @Override
  public void discardStep() {
    kfac.discardStep();
  }

  @Override
  public Map<String, StoredTensor> toTensors() {
    return kfac.toTensors();
  }

  @Override
  public void restore(Map<String, StoredTensor> tensors) {
    kfac.restore(tensors);
  }

  @Override
  public void close() {
    kfac.close();
  }
}
