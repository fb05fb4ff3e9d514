package io.github.kfac4j.experiments.figures;

import java.util.ArrayList;
import java.util.List;

/** Rows of numbers and names under a header. */
final class CsvTable {
  private final List<String> lines = new ArrayList<>();

  CsvTable(String... header) {
    lines.add(String.join(",", header));
  }

  /** Adds a row; whole numbers lose their decimal point, null is an empty cell. */
  void row(Object... cells) {
    String[] texts = new String[cells.length];
    for (int i = 0; i < cells.length; i++) {
      texts[i] = text(cells[i]);
    }
    lines.add(String.join(",", texts));
  }

  private static String text(Object cell) {
    if (cell == null) {
      return "";
    }
    if (cell instanceof Double number && number == Math.rint(number) && Math.abs(number) < 1e15) {
      return String.valueOf(number.longValue());
    }
    return cell.toString();
  }

  /** The lines of the file, the header first. */
  List<String> lines() {
    return List.copyOf(lines);
  }
}
