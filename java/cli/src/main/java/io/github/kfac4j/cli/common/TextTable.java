package io.github.kfac4j.cli.common;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Columns aligned to the right. */
public final class TextTable {
  private final List<String[]> rows = new ArrayList<>();

  /** A table with this first row. */
  public TextTable(String... header) {
    rows.add(header);
  }

  /** One row; numbers are printed with the digits that matter. */
  public void row(Object... cells) {
    String[] row = new String[cells.length];
    for (int i = 0; i < cells.length; i++) {
      row[i] = text(cells[i]);
    }
    rows.add(row);
  }

  private static String text(Object cell) {
    if (cell == null) {
      return "-";
    }
    if (cell instanceof Double number) {
      boolean whole = number == Math.rint(number) && Math.abs(number) < 1e9;
      return whole
          ? String.valueOf(number.longValue())
          : String.format(Locale.ROOT, "%.5g", number);
    }
    return cell.toString();
  }

  @Override
  public String toString() {
    int[] widths = new int[rows.get(0).length];
    for (String[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (String[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        text.append(i == 0 ? "" : "  ").append(" ".repeat(widths[i] - row[i].length()));
        text.append(row[i]);
      }
      text.append(System.lineSeparator());
    }
    return text.toString();
  }
}
