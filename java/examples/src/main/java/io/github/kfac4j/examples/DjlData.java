package io.github.kfac4j.examples;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.ArrayDataset;

/** The images as DJL takes them. */
final class DjlData {
  private DjlData() {}

  /** In order, so that the examples print the same each time. */
  static ArrayDataset of(NDManager manager, Images images, int batch) {
    NDArray pixels =
        manager.create(images.pixels(), new Shape(images.count(), 1, Images.SIZE, Images.SIZE));
    return new ArrayDataset.Builder()
        .setData(pixels)
        .optLabels(manager.create(images.classes()))
        .setSampling(batch, false)
        .build();
  }
}
