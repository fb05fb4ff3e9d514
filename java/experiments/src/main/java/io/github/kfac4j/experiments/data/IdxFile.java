package io.github.kfac4j.experiments.data;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** The idx format of MNIST and its relatives: unsigned bytes, big-endian header. */
final class IdxFile {
  private static final int LABELS_MAGIC = 0x0801;
  private static final int IMAGES_MAGIC = 0x0803;

  private IdxFile() {}

  /** Combines a file of [count, rows, columns] images and one of [count] labels. */
  static Images images(DataFile imageFile, DataFile labelFile) {
    int[] shape = shape(imageFile, IMAGES_MAGIC, 3);
    int labelCount = shape(labelFile, LABELS_MAGIC, 1)[0];
    if (shape[0] != labelCount) {
      throw labelFile.damaged(
          "%d labels for the %d images of %s", labelCount, shape[0], imageFile.name());
    }
    byte[] labels = body(labelFile, 1);
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] < 0 || labels[i] >= Images.CLASSES) {
        throw labelFile.damaged("label %d at position %d", labels[i] & 0xff, i);
      }
    }
    return new Images(body(imageFile, 3), labels, 1, shape[1], shape[2]);
  }

  private static int[] shape(DataFile file, int magic, int rank) {
    ByteBuffer header = ByteBuffer.wrap(file.bytes());
    if (header.remaining() < 4 + 4 * rank) {
      throw file.damaged("only %d bytes", header.remaining());
    }
    int found = header.getInt();
    if (found != magic) {
      throw file.damaged("it starts with 0x%08x, not with 0x%08x", found, magic);
    }
    int[] shape = new int[rank];
    long size = 1;
    for (int i = 0; i < rank; i++) {
      shape[i] = header.getInt();
      if (shape[i] <= 0) {
        throw file.damaged("impossible extent %d", shape[i]);
      }
      // saturates far above any file that fits into memory
      size = Math.min(size * shape[i], Integer.MAX_VALUE + 1L);
    }
    if (size != header.remaining()) {
      throw file.damaged("shape %s, but %d bytes", Arrays.toString(shape), header.remaining());
    }
    return shape;
  }

  private static byte[] body(DataFile file, int rank) {
    return Arrays.copyOfRange(file.bytes(), 4 + 4 * rank, file.bytes().length);
  }
}
