package io.github.kfac4j.experiments.plot;

import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;

/** Panels side by side as a picture. */
public final class Panels {
  private Panels() {}

  /** A PNG file; one panel, up to four in two columns, or three columns. */
  public static byte[] png(List<Panel> panels) {
    int columns = panels.size() == 1 ? 1 : panels.size() > 4 ? 3 : 2;
    int width = panels.size() == 1 ? 1100 : 2400 / columns;
    int height = panels.size() == 1 ? 850 : width * 4 / 5;
    int rows = (panels.size() + columns - 1) / columns;
    BufferedImage image =
        new BufferedImage(columns * width, rows * height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    for (int i = 0; i < panels.size(); i++) {
      BufferedImage part =
          BitmapEncoder.getBufferedImage(PanelChart.of(panels.get(i), width, height));
      graphics.drawImage(part, i % columns * width, i / columns * height, null);
    }
    graphics.dispose();
    return Png.of(image);
  }
}
