package io.github.kfac4j.benchmarks.peers;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** A function that {@code benchmarks/peers/torchscript.py} wrote. */
final class TorchScript implements AutoCloseable {
  private final Model model;
  private final ParameterStore parameters;

  private TorchScript(Model model, NDManager manager) {
    this.model = model;
    this.parameters = new ParameterStore(manager, false);
  }

  static TorchScript load(String name, NDManager manager) {
    Model model = Model.newInstance(name, "PyTorch");
    try (InputStream in = TorchScript.class.getResourceAsStream(name + ".pt")) {
      model.load(in);
      return new TorchScript(model, manager);
    } catch (IOException e) {
      throw new UncheckedIOException(name, e);
    } catch (MalformedModelException e) {
      throw new IllegalStateException(name, e);
    }
  }

  NDArray call(NDArray... arguments) {
    return model.getBlock().forward(parameters, new NDList(arguments), false).singletonOrThrow();
  }

  @Override
  public void close() {
    model.close();
  }
}
