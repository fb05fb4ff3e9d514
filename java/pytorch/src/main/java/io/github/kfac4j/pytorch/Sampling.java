package io.github.kfac4j.pytorch;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.trainer.TrainingPass;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The outputs of a network, from which backward passes to its layers' outputs alone start. */
final class Sampling implements TrainingPass.Outputs {
  private final Pass pass;
  private final Tensor outputs;
  private final View values;

  /**
   * Reads the outputs.
   *
   * @param outputs of the network in this pass, with their graph
   */
  Sampling(Pass pass, Tensor outputs) {
    this.pass = pass;
    this.outputs = outputs;
    this.values = View.onHost(outputs, Sizes.ints(Sizes.of(outputs)));
  }

  @Override
  public HostTensor values() {
    return (HostTensor) values.tensor();
  }

  @Override
  @SuppressWarnings("try") // the scope frees what is made inside it
  public void backward(HostTensor gradient) {
    List<Capture> captures = pass.captures();
    try (PointerScope scope = new PointerScope()) {
      Tensor start =
          Tensor.create(gradient.toArray(), Sizes.of(outputs))
              .to(outputs.device(), outputs.scalar_type().intern());
      Tensor[] leaves = captures.stream().map(Capture::zeros).toArray(Tensor[]::new);
      TensorVector gradients =
          torch.grad(
              new TensorVector(outputs),
              new TensorVector(leaves),
              new TensorVector(start),
              new BoolOptional(true),
              false,
              true);
      for (int i = 0; i < leaves.length; i++) {
        long index = i;
        captures.get(i).sample(Kept.keep(() -> new Tensor(gradients.get(index))));
      }
    }
  }

  @Override
  public void close() {
    values.close();
    pass.captures().forEach(Capture::stop);
  }
}
