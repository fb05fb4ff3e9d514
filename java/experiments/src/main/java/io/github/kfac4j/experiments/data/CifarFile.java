package io.github.kfac4j.experiments.data;

import java.util.List;

/** The binary format of CIFAR-10: records of one label and 3 x 32 x 32 bytes. */
final class CifarFile {
  private static final int SIDE = 32;
  private static final int PIXELS = 3 * SIDE * SIDE;
  private static final int RECORD = 1 + PIXELS;

  private CifarFile() {}

  /** The records of all files, one after the other. */
  static Images images(List<DataFile> files) {
    int count = files.stream().mapToInt(CifarFile::count).sum();
    byte[] pixels = new byte[count * PIXELS];
    byte[] labels = new byte[count];
    int at = 0;
    for (DataFile file : files) {
      for (int i = 0; i < count(file); i++, at++) {
        labels[at] = file.bytes()[i * RECORD];
        if (labels[at] < 0 || labels[at] >= Images.CLASSES) {
          throw file.damaged("label %d at position %d", labels[at] & 0xff, i);
        }
        System.arraycopy(file.bytes(), i * RECORD + 1, pixels, at * PIXELS, PIXELS);
      }
    }
    return new Images(pixels, labels, 3, SIDE, SIDE);
  }

  private static int count(DataFile file) {
    int length = file.bytes().length;
    if (length == 0 || length % RECORD != 0) {
      throw file.damaged("%d bytes, not a multiple of %d", length, RECORD);
    }
    return length / RECORD;
  }
}
