package io.github.kfac4j.benchmarks.own;

import com.sun.management.OperatingSystemMXBean;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.NetworkCase;
import io.github.kfac4j.benchmarks.cases.NetworkInputs;
import io.github.kfac4j.benchmarks.run.Work;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A whole update: factors, damped inverses, preconditioned gradients of all layers. */
final class StepWork implements Work {
  private static final OperatingSystemMXBean MACHINE =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final Kfac kfac;
  private final List<LayerTensors> layers = new ArrayList<>();
  private final List<Observation> observations = new ArrayList<>();
  private final List<LayerGradient> gradients = new ArrayList<>();
  private final boolean onCores;
  private Map<String, Double> parts = Map.of();
  private double busy;

  StepWork(Backend backend, TensorMemory memory, NetworkCase c, long seed) {
    this.onCores = backend.name().equals("cpu");
    NetworkInputs data = new NetworkInputs(c, new Inputs(seed));
    Map<String, Layer> types = new LinkedHashMap<>();
    for (int k = 0; k < c.layers().size(); k++) {
      LayerTensors layer = new LayerTensors(memory, c, data, k);
      String name = layer.shape.name();
      layers.add(layer);
      types.put(name, layer.shape.toLayer());
      observations.add(Observation.ofSumLoss(name, layer.input, layer.outputGrad));
      gradients.add(new LayerGradient(name, layer.weight, layer.bias));
    }
    this.kfac =
        new Kfac(
            backend,
            types,
            KfacOptions.DEFAULT.withDamping(NetworkCase.DAMPING).withIntervals(1, 1));
  }

  @Override
  public void run() {
    long cpu = MACHINE.getProcessCpuTime();
    long begin = System.nanoTime();
    layers.forEach(LayerTensors::restore); // a copy of the gradients, which counts
    long start = System.nanoTime();
    kfac.observe(observations);
    long observed = System.nanoTime();
    kfac.refresh();
    long refreshed = System.nanoTime();
    kfac.precondition(gradients);
    long end = System.nanoTime();
    double cores = MACHINE.getAvailableProcessors();
    busy = (MACHINE.getProcessCpuTime() - cpu) / (cores * (end - begin));
    parts =
        Map.of(
            "factors", (observed - start) * 1e-9,
            "inverses", (refreshed - observed) * 1e-9,
            "preconditioning", (end - refreshed) * 1e-9);
  }

  @Override
  public float[] result(int index) {
    return layers.get(index).joined();
  }

  @Override
  public Map<String, Double> parts() {
    return parts;
  }

  @Override
  public Double coresBusy() {
    return onCores ? busy : null;
  }

  @Override
  public void close() {
    kfac.close();
  }
}
