package io.github.kfac4j.distributed.asynchronous;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.reference.JavaBackend;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Random;

/** The fp64 backend, which takes its time. */
public final class SlowBackend {
  private SlowBackend() {}

  /** Does something before each inversion. */
  public static Backend before(Runnable what) {
    JavaBackend backend = new JavaBackend();
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("invert")) {
                what.run();
              }
              try {
                return method.invoke(backend, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** Inversions take a random time. */
  public static Backend of(int seed) {
    Random random = new Random(seed);
    return before(
        () -> {
          try {
            Thread.sleep(random.nextInt(12));
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }
}
