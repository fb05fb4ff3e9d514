package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HostArrayTest {
  private final NDManager manager = NDManager.newBaseManager();

  @AfterEach
  void close() {
    manager.close();
  }

  @Test
  void contiguousArrayIsShared() {
    NDArray array = manager.create(new float[] {1, 2, 3, 4}, new Shape(2, 2));
    HostArray host = new HostArray("fc", "input", array);
    host.tensor().write(1, new double[] {9}, 0, 1);
    assertThat(array.toFloatArray()).containsExactly(1, 9, 3, 4);
    host.store();
    assertThat(array.toFloatArray()).containsExactly(1, 9, 3, 4);
  }

  @Test
  void sliceThatIsContiguousIsShared() {
    NDArray array = manager.create(new float[] {1, 2, 3, 4}, new Shape(2, 2));
    HostArray host = new HostArray("fc", "input", array.get(1));
    host.tensor().write(0, new double[] {9}, 0, 1);
    assertThat(array.toFloatArray()).containsExactly(1, 2, 9, 4);
  }

  @Test
  void transposedArrayIsSharedInItsOwnOrder() {
    NDArray base = manager.create(new float[] {1, 2, 3, 4, 5, 6}, new Shape(2, 3));
    HostArray host = shared(base.transpose());
    assertThat(host.tensor().toArray()).containsExactly(1, 4, 2, 5, 3, 6);
    host.tensor().write(0, new double[] {10, 40, 20, 50, 30, 60}, 0, 6);
    assertThat(base.toFloatArray()).containsExactly(10, 20, 30, 40, 50, 60);
  }

  @Test
  void sliceWithGapsIsShared() {
    NDArray base = manager.arange(24f).reshape(2, 3, 4);
    HostArray host = shared(base.get(":, 1:, 1:3"));
    assertThat(host.tensor().toArray()).containsExactly(5, 6, 9, 10, 17, 18, 21, 22);
  }

  @Test
  void broadcastArrayIsReadInFullWithoutACopy() {
    NDArray array = manager.create(new float[] {7}, new Shape(1)).broadcast(new Shape(2, 2));
    assertThat(shared(array).tensor().toArray()).containsExactly(7, 7, 7, 7);
  }

  private HostArray shared(NDArray array) {
    int before = manager.getManagedArrays().size();
    HostArray host = new HostArray("fc", "weight gradient", array);
    assertThat(host.isCopy()).isFalse();
    assertThat(manager.getManagedArrays()).hasSize(before);
    return host;
  }

  @Test
  void anArrayThatIsReadInAnotherShapeIsCopiedWhereItMustBe() {
    NDArray array = manager.create(new float[] {1, 2, 3, 4}, new Shape(2, 2)).transpose();
    HostArray host = new HostArray("norm", "scale gradient", array, 4);
    assertThat(host.tensor().toArray()).containsExactly(1, 3, 2, 4);
    host.tensor().write(0, new double[] {5, 6, 7, 8}, 0, 4);
    host.store();
    assertThat(array.toFloatArray()).containsExactly(5, 6, 7, 8);
  }

  @Test
  void doublePrecisionIsShared() {
    NDArray array = manager.create(new double[] {1, 2});
    HostArray host = new HostArray("fc", "input", array);
    host.tensor().write(0, new double[] {0.1}, 0, 1);
    assertThat(array.toDoubleArray()).containsExactly(0.1, 2);
  }

  @Test
  void otherTypesAreRefused() {
    NDArray array = manager.ones(new Shape(2)).toType(DataType.FLOAT16, true);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new HostArray("fc", "input", array))
        .withMessage("layer 'fc': input is of type FLOAT16, expected FLOAT32 or FLOAT64");
  }
}
