package io.github.kfac4j.dl4j;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Layer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Hears a layer that has no activation function: in the network's backward pass a stand-in takes
 * its place, which hands everything on.
 *
 * @param layer to hear
 * @param network puts what it is given into the layer's place
 */
record BackwardEar(Layer layer, Consumer<Layer> network) implements Ear {
  @Override
  public void listen(Listener listener) {
    network.accept(
        (Layer)
            Proxy.newProxyInstance(
                Layer.class.getClassLoader(),
                new Class<?>[] {Layer.class},
                (proxy, method, arguments) ->
                    method.getName().equals("backpropGradient")
                        ? backward(listener, method, arguments)
                        : invoke(method, arguments)));
  }

  /**
   * Listens before the layer runs, which may reuse the array; what the layer throws comes first.
   */
  private Object backward(Listener listener, Method method, Object[] arguments) throws Throwable {
    RuntimeException own = null;
    try {
      listener.hear((INDArray) arguments[0]);
    } catch (RuntimeException e) {
      own = e;
    }
    try {
      Object gradient = invoke(method, arguments);
      if (own != null) {
        throw own;
      }
      return gradient;
    } catch (Throwable e) { // whatever it is
      listener.failed();
      throw e;
    }
  }

  private Object invoke(Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(layer, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  @Override
  public void stop() {
    network.accept(layer);
  }
}
