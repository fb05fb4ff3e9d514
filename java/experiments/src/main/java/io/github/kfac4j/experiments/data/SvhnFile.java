package io.github.kfac4j.experiments.data;

import java.io.IOException;
import java.util.Arrays;
import us.hebi.matlab.mat.format.Mat5;
import us.hebi.matlab.mat.types.MatFile;
import us.hebi.matlab.mat.types.Matrix;
import us.hebi.matlab.mat.types.Sources;

/**
 * The cropped digits of SVHN as MAT files: {@code X} is [32, 32, 3, count], {@code y} [count, 1],
 * where 10 stands for the digit 0.
 */
final class SvhnFile {
  private static final int SIDE = 32;
  private static final int PLANE = SIDE * SIDE;
  private static final int CHANNELS = 3;

  private SvhnFile() {}

  static Images images(DataFile file) {
    try (MatFile content = Mat5.newReader(Sources.wrap(file.bytes())).readMat()) {
      Matrix pixels = content.getMatrix("X");
      return images(file, pixels, content.getMatrix("y"));
    } catch (IOException
        | IllegalArgumentException
        | IllegalStateException
        | ClassCastException e) {
      throw file.damaged("%s", e.getMessage());
    }
  }

  private static Images images(DataFile file, Matrix x, Matrix y) {
    int[] shape = x.getDimensions();
    boolean fits =
        shape.length == 4 && shape[0] == SIDE && shape[1] == SIDE && shape[2] == CHANNELS;
    if (!fits) {
      throw file.damaged("X is %s, expected [32, 32, 3, count]", Arrays.toString(shape));
    }
    int count = shape[3];
    if (y.getNumElements() != count) {
      throw file.damaged("%d labels for %d images", y.getNumElements(), count);
    }
    byte[] pixels = new byte[count * CHANNELS * PLANE];
    for (int plane = 0; plane < count * CHANNELS; plane++) {
      for (int k = 0; k < PLANE; k++) { // columns first there, rows first here
        int source = plane * PLANE + k % SIDE * SIDE + k / SIDE;
        pixels[plane * PLANE + k] = (byte) x.getInt(source);
      }
    }
    byte[] labels = new byte[count];
    for (int i = 0; i < count; i++) {
      int label = y.getInt(i);
      if (label < 1 || label > Images.CLASSES) {
        throw file.damaged("label %d at position %d", label, i);
      }
      labels[i] = (byte) (label % Images.CLASSES);
    }
    return new Images(pixels, labels, CHANNELS, SIDE, SIDE);
  }
}
