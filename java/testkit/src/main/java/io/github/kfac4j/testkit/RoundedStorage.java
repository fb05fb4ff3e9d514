package io.github.kfac4j.testkit;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Storage;
import io.github.kfac4j.reference.FallbackBackend;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * A backend that computes in fp64 and stores in fp32: its error is the floor of all that store so.
 */
public final class RoundedStorage {
  private RoundedStorage() {}

  /** Opens such a backend. */
  public static Backend open() {
    Backend storage =
        (Backend)
            Proxy.newProxyInstance(
                Backend.class.getClassLoader(),
                new Class<?>[] {Backend.class},
                (proxy, method, arguments) ->
                    switch (method.getName()) {
                      case "name" -> "storage";
                      case "inTurn" -> ((Supplier<?>) arguments[0]).get();
                      case "storage" -> Storage.UNKNOWN;
                      case "allocate", "allocateBasis" ->
                          stack((int) arguments[0], (int) arguments[1], (int) arguments[2]);
                      case "close" -> null;
                      default -> throw new UnsupportedOperationException("storage only");
                    });
    return new FallbackBackend(storage, line -> {});
  }

  private static Stack stack(int count, int rows, int cols) {
    return new Stack(count, rows, cols, new float[count * rows * cols]);
  }

  private record Stack(int count, int rows, int cols, float[] elements) implements MatrixStack {
    @Override
    public boolean isDouble() {
      return false;
    }

    @Override
    public double[] toArray() {
      double[] all = new double[elements.length];
      Arrays.setAll(all, i -> elements[i]);
      return all;
    }

    @Override
    public void set(double[] values) {
      requireSize(values);
      for (int i = 0; i < values.length; i++) {
        elements[i] = (float) values[i];
      }
    }

    @Override
    public void copyFrom(MatrixStack other) {
      requireLike(other);
      System.arraycopy(((Stack) other).elements, 0, elements, 0, elements.length);
    }

    @Override
    public MatrixStack like() {
      return stack(count, rows, cols);
    }

    @Override
    public void close() {}
  }
}
