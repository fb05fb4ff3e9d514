package io.github.kfac4j.dl4j;

import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/** Where the gradient before a layer's activation function is heard in a backward pass. */
interface Ear {
  /** Listens from now on. */
  void listen(Listener listener);

  /** Puts everything back; idempotent. */
  void stop();

  /** Who listens. */
  interface Listener {
    /** Hears a gradient, whose array it must not keep. */
    void hear(INDArray gradient);

    /** Is told of an output that the backward pass computes once more, likewise. */
    void activated(INDArray output);

    /** Is told that the part of the network that is listened to has thrown what fit will throw. */
    void failed();

    /** Runs that part. */
    default <T> T guard(Supplier<T> part) {
      try {
        return part.get();
      } catch (RuntimeException | Error e) {
        failed();
        throw e;
      }
    }
  }

  /** In the part of a configuration that computes the gradient: an activation function or loss. */
  static Ear in(BaseLayer configuration) {
    return new Ear() {
      @Override
      public void listen(Listener listener) {
        if (configuration instanceof BaseOutputLayer output) {
          output.setLossFn(new TappedLoss(output.getLossFn(), listener));
        } else {
          IActivation function = configuration.getActivationFn();
          configuration.setActivationFn(new TappedActivation(function, listener));
        }
      }

      @Override
      public void stop() {
        if (configuration.getActivationFn() instanceof Tapped activation) {
          configuration.setActivationFn((IActivation) activation.delegate());
        }
        if (configuration instanceof BaseOutputLayer output
            && output.getLossFn() instanceof Tapped loss) {
          output.setLossFn((ILossFunction) loss.delegate());
        }
      }
    };
  }
}
