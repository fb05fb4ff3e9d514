package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Storage;
import io.github.kfac4j.reference.FallbackBackend;
import io.github.kfac4j.testkit.checks.BackendChecks;
import io.github.kfac4j.testkit.junit.BackendContract;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/** What rounding to fp32 costs where it is done in storage alone: the contract can be met. */
class SinglePrecisionStorageTest extends BackendContract {
  @Override
  protected Set<BackendChecks> groups() {
    return EnumSet.of(BackendChecks.EIGENVALUES, BackendChecks.EIGEN_STEPS);
  }

  @Override
  protected Backend open() {
    Backend storage =
        (Backend)
            Proxy.newProxyInstance(
                Backend.class.getClassLoader(),
                new Class<?>[] {Backend.class},
                (proxy, method, arguments) ->
                    switch (method.getName()) {
                      case "name" -> "storage";
                      case "storage" -> Storage.UNKNOWN;
                      case "allocate", "allocateBasis" ->
                          new Stack(
                              (int) arguments[0],
                              (int) arguments[1],
                              (int) arguments[2],
                              new float
                                  [(int) arguments[0] * (int) arguments[1] * (int) arguments[2]]);
                      case "close" -> null;
                      default -> throw new UnsupportedOperationException("storage only");
                    });
    return new FallbackBackend(storage, line -> {});
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
      return new Stack(count, rows, cols, new float[elements.length]);
    }

    @Override
    public void close() {}
  }
}
