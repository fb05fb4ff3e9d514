package io.github.kfac4j.experiments.study.search;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.files.RegularFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A table of numbers and words without commas in them, its first line the names of the columns.
 *
 * @param rows the lines below it
 */
public record CsvRows(List<Row> rows) {
  private static final int MAX_BYTES = 1 << 28;

  /** Without any lines. */
  public static final CsvRows NONE = new CsvRows(List.of());

  /**
   * Reads a file.
   *
   * @throws BadInputException if it cannot be read, or a line has another number of cells
   */
  public static CsvRows read(Path file) {
    String text;
    try {
      text = new String(RegularFile.read(file, MAX_BYTES), UTF_8);
    } catch (IOException e) {
      throw new BadInputException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
    List<String> lines = text.lines().toList();
    String[] names = lines.isEmpty() ? new String[0] : lines.get(0).split(",", -1);
    List<Row> rows = new ArrayList<>();
    for (int i = 1; i < lines.size(); i++) {
      String[] cells = lines.get(i).split(",", -1);
      String where = "%s line %d".formatted(file, i + 1);
      if (cells.length != names.length) {
        throw new BadInputException(
            "%s has %d cells, expected %d".formatted(where, cells.length, names.length));
      }
      Map<String, String> row = new TreeMap<>();
      for (int k = 0; k < cells.length; k++) {
        row.put(names[k], cells[k]);
      }
      rows.add(new Row(where, row));
    }
    return new CsvRows(rows);
  }

  /**
   * A line.
   *
   * @param where file and line, for messages
   * @param cells by column
   */
  public record Row(String where, Map<String, String> cells) {
    /** The text of a cell. */
    public String text(String column) {
      String cell = cells.get(column);
      if (cell == null) {
        throw new BadInputException("%s: there is no column %s".formatted(where, column));
      }
      return cell;
    }

    /** A number, or null for an empty cell. */
    public Double number(String column) {
      String text = text(column);
      try {
        return text.isEmpty() ? null : Double.valueOf(text);
      } catch (NumberFormatException e) {
        throw new BadInputException(
            "%s: %s is '%s', not a number".formatted(where, column, text), e);
      }
    }

    /** A whole number. */
    public long whole(String column) {
      Double number = number(column);
      if (number == null || number != Math.rint(number)) {
        throw new BadInputException(
            "%s: %s is '%s', not a whole number".formatted(where, column, text(column)));
      }
      return number.longValue();
    }

    /** Whether a cell says true. */
    public boolean flag(String column) {
      return text(column).equals("true");
    }
  }
}
