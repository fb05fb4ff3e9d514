package io.github.kfac4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Arrays that do not lie row by row are taken as they lie. */
class HostArrayTest {
  private static INDArray counting(DataType type) {
    return Nd4j.arange(24).castTo(type).reshape('c', 2, 3, 4);
  }

  private static void shared(INDArray array) {
    HostArray host = HostArray.of(array);
    assertThat(host.data()).isSameAs(array);
    double[] expected = array.dup('c').data().asDouble();
    assertThat(host.tensor().toArray()).isEqualTo(expected);
    host.tensor().write(1, new double[] {100}, 0, 1);
    expected[1] = 100;
    assertThat(array.dup('c').data().asDouble()).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void memoryIsSharedWhateverTheStrides(DataType type) {
    shared(counting(type));
    shared(counting(type).permute(2, 0, 1));
    shared(counting(type).dup('f'));
    shared(
        counting(type)
            .get(NDArrayIndex.all(), NDArrayIndex.interval(1, 3), NDArrayIndex.interval(1, 3)));
    INDArray flat = counting(type).reshape(1, 24);
    shared(flat.get(NDArrayIndex.point(0), NDArrayIndex.interval(5, 17)).reshape('f', 3, 4));
  }

  /** Column by column, as Deeplearning4j keeps dense weights, is row by row for K-FAC. */
  @Test
  void aDenseWeightIsRowByRow() {
    INDArray weight = Nd4j.arange(12).reshape('f', 3, 4);
    assertThat(HostArray.of(weight.transpose()).tensor().isContiguous()).isTrue();
  }

  @Test
  void otherTypesGoBackFromACopy() {
    INDArray array = counting(DataType.BFLOAT16);
    HostArray host = HostArray.of(array);
    assertThat(host.data()).isNotSameAs(array);
    host.tensor().write(1, new double[] {100}, 0, 1);
    host.store();
    assertThat(array.getDouble(0, 0, 1)).isEqualTo(100);
    host.close();
  }
}
