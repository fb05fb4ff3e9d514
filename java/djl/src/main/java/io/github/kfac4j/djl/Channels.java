package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.norm.BatchNorm;
import java.lang.reflect.Field;

/**
 * Where in its input a normalisation has what its scale multiplies, and how arrays are arranged for
 * {@link io.github.kfac4j.layer.ScaleShift}: the channels of a batch normalisation second, the
 * features of a layer normalisation last and as one dimension.
 *
 * @param axis the dimension that changes places with the second one; 1 for none
 * @param features how many last dimensions become one; 1 for none
 */
record Channels(int axis, int features) {
  private static final Channels AS_THEY_ARE = new Channels(1, 1);

  /**
   * Those of an initialized block; of one that does not normalise, arrays stay as they are.
   *
   * @throws IllegalArgumentException saying why, if they cannot be told
   */
  static Channels of(Block block) {
    if (!Layers.normalises(block)) {
      return AS_THEY_ARE;
    }
    if (block instanceof BatchNorm norm) {
      return new Channels(axis(norm), 1);
    }
    // whatever its axes are called, the engine normalises as many last dimensions
    return new Channels(1, block.getDirectParameters().get("gamma").getShape().dimension());
  }

  private static int axis(BatchNorm norm) {
    int axis;
    try {
      // the block does not tell, and where sizes are equal nothing else does
      Field field = BatchNorm.class.getDeclaredField("axis");
      field.setAccessible(true);
      axis = field.getInt(norm);
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw new IllegalArgumentException("this version of DJL does not tell its axis", e);
    }
    if (axis < 1) {
      throw new IllegalArgumentException("its axis %d is not one of channels".formatted(axis));
    }
    return axis;
  }

  /** The array so arranged, a view where possible, with the same manager; or the array itself. */
  NDArray arrange(NDArray array) {
    if (axis != 1) {
      return array.swapAxes(1, axis);
    }
    return features == 1 ? array : array.reshape(arrange(array.getShape()));
  }

  /** A parameter or its gradient, of the features as one dimension. */
  HostArray host(String layer, String what, NDArray parameter) {
    return features == 1
        ? new HostArray(layer, what, parameter)
        : new HostArray(layer, what, parameter, Math.toIntExact(parameter.size()));
  }

  /** The shape of an array so arranged. */
  Shape arrange(Shape shape) {
    long[] extents = shape.getShape().clone();
    if (axis != 1) {
      long second = extents[1];
      extents[1] = extents[axis];
      extents[axis] = second;
      return new Shape(extents);
    }
    int kept = extents.length - features;
    return shape.slice(0, kept).add(shape.slice(kept).size());
  }
}
