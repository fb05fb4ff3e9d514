package io.github.kfac4j.nqm;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The text format of a spectrum; see {@link Spectrum#read}. */
final class SpectrumFile {
  private SpectrumFile() {}

  static Spectrum read(Path file) throws IOException {
    List<double[]> rows = new ArrayList<>();
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (MalformedInputException e) {
      throw new IllegalArgumentException(file + " is not a text file", e);
    }
    for (int i = 0; i < lines.size(); i++) {
      String text = lines.get(i).replaceFirst("#.*", "").strip();
      if (!text.isEmpty()) {
        rows.add(parse(text, file + " line " + (i + 1)));
      }
    }
    double[] eigenvalues = rows.stream().mapToDouble(r -> r[0]).toArray();
    double[] counts = rows.stream().mapToDouble(r -> r[1]).toArray();
    double[] noise = rows.stream().mapToDouble(r -> r[2]).toArray();
    return Spectrum.of(eigenvalues, counts, noise);
  }

  private static double[] parse(String text, String where) {
    String[] fields = text.split("\\s*,\\s*|\\s+");
    if (fields.length > 3) {
      throw new IllegalArgumentException(
          where + ": expected eigenvalue[,count[,noise variance]], found \"" + text + "\"");
    }
    double[] row = new double[3];
    for (int j = 0; j < fields.length; j++) {
      try {
        row[j] = Double.parseDouble(fields[j]);
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(where + ": \"" + fields[j] + "\" is not a number", e);
      }
    }
    row[1] = fields.length > 1 ? row[1] : 1;
    row[2] = fields.length > 2 ? row[2] : row[0];
    if (!(row[0] > 0) || Double.isInfinite(row[0])) {
      throw new IllegalArgumentException(
          where + ": an eigenvalue must be positive and finite, not " + fields[0]);
    }
    return row;
  }
}
