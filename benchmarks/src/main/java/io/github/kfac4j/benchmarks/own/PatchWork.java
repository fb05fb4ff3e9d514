package io.github.kfac4j.benchmarks.own;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.benchmarks.cases.ConvCase;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.run.Work;
import io.github.kfac4j.samples.PatchSamples;

/** Patches written out. */
final class PatchWork implements Work {
  private final Backend backend;
  private final PatchSamples samples;
  private final MatrixStack target;

  PatchWork(Backend backend, TensorMemory memory, ConvCase c, long seed) {
    this.backend = backend;
    float[] images = new Inputs(seed).uniform(0, c.elements());
    this.samples = c.patches(memory.tensor(images, c.shape()), c.examples());
    this.target = backend.allocate(1, c.rows(), c.dim());
  }

  @Override
  public void run() {
    backend.patches(samples, target);
  }

  @Override
  public float[] result(int index) {
    return KfacContender.narrowed(target.toArray());
  }

  @Override
  public void close() {
    target.close();
  }
}
