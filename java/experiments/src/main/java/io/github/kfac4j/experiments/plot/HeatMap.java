package io.github.kfac4j.experiments.plot;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/**
 * A table of coloured cells with words in them.
 *
 * @param xLabel below the columns; empty for none
 * @param yLabel above the values of the rows; empty for none
 * @param xTicks a value for each column; empty for none
 * @param yTicks a value for each row; empty for none
 * @param cells row by row, the lowest first; null where nothing is known
 * @param columns cells of a row
 */
public record HeatMap(
    String title,
    String xLabel,
    String yLabel,
    List<String> xTicks,
    List<String> yTicks,
    List<Cell> cells,
    int columns) {
  private static final int CELL_WIDTH = 74;
  private static final int CELL_HEIGHT = 44;
  private static final int LEFT = 80;
  private static final int RIGHT = 24;
  private static final int TOP = 52;
  private static final int BOTTOM = 58;

  /** Pixels per unit, so that the picture is sharp on any screen. */
  private static final int SCALE = 2;

  private static final Color INK = new Color(0x1F2937);

  /** One cell. */
  public record Cell(String text, Color color) {}

  private int rows() {
    return cells.size() / columns;
  }

  private int width() {
    return LEFT + columns * CELL_WIDTH + RIGHT;
  }

  private int height() {
    return TOP + rows() * CELL_HEIGHT + BOTTOM;
  }

  /** Maps in rows, as a picture. */
  public static BufferedImage image(List<List<HeatMap>> rows) {
    int width =
        rows.stream().mapToInt(row -> row.stream().mapToInt(HeatMap::width).sum()).max().orElse(1);
    int height = rows.stream().mapToInt(row -> height(row)).sum();
    BufferedImage image =
        new BufferedImage(width * SCALE, height * SCALE, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
    graphics.scale(SCALE, SCALE);
    int top = 0;
    for (List<HeatMap> row : rows) {
      int left = 0;
      for (HeatMap map : row) {
        Graphics2D place = (Graphics2D) graphics.create(left, top, map.width(), map.height());
        map.paint(place);
        place.dispose();
        left += map.width();
      }
      top += height(row);
    }
    graphics.dispose();
    return image;
  }

  private static int height(List<HeatMap> row) {
    return row.stream().mapToInt(HeatMap::height).max().orElse(0);
  }

  private void paint(Graphics2D graphics) {
    graphics.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 15));
    graphics.setColor(INK);
    graphics.drawString(title, 12, 22);
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    graphics.drawString(yLabel, 12, TOP - 10);
    int bottom = TOP + rows() * CELL_HEIGHT;
    centred(graphics, xLabel, LEFT + columns * CELL_WIDTH / 2, bottom + 42);
    for (int column = 0; column < xTicks.size(); column++) {
      centred(
          graphics, xTicks.get(column), LEFT + column * CELL_WIDTH + CELL_WIDTH / 2, bottom + 20);
    }
    for (int row = 0; row < rows(); row++) {
      int top = bottom - (row + 1) * CELL_HEIGHT;
      if (row < yTicks.size()) {
        graphics.setColor(INK);
        graphics.drawString(yTicks.get(row), 12, top + CELL_HEIGHT / 2 + 5);
      }
      for (int column = 0; column < columns; column++) {
        Cell cell = cells.get(row * columns + column);
        if (cell != null) {
          paint(graphics, cell, LEFT + column * CELL_WIDTH, top);
        }
      }
    }
  }

  private static void paint(Graphics2D graphics, Cell cell, int left, int top) {
    graphics.setColor(cell.color);
    graphics.fillRect(left + 1, top + 1, CELL_WIDTH - 2, CELL_HEIGHT - 2);
    Color c = cell.color;
    double luminance = 0.299 * c.getRed() + 0.587 * c.getGreen() + 0.114 * c.getBlue();
    graphics.setColor(luminance < 128 ? Color.WHITE : INK);
    centred(graphics, cell.text, left + CELL_WIDTH / 2, top + CELL_HEIGHT / 2 + 5);
    graphics.setColor(INK);
  }

  private static void centred(Graphics2D graphics, String text, int x, int y) {
    graphics.drawString(text, x - graphics.getFontMetrics().stringWidth(text) / 2, y);
  }
}
