package io.github.kfac4j.cli.nqm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.cli.Cli;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FigureCommandTest {
  @Test
  void writesDataPicturesAndAPage(@TempDir Path folder) throws IOException {
    Path out = folder.resolve("new/figures");
    JsonNode document =
        Cli.json("nqm", "figure", "11", "3c", "2", "1", "13", "--out", out.toString(), "--json");
    assertThat(document.get("figures").findValuesAsText("figure"))
        .containsExactly("1", "2", "3c", "11", "13");
    String page = Files.readString(Path.of(document.get("page").asText()));
    for (JsonNode figure : document.get("figures")) {
      BufferedImage image = ImageIO.read(Path.of(figure.get("png").asText()).toFile());
      assertThat(image.getWidth()).isGreaterThan(800);
      assertThat(colours(image)).isGreaterThan(20); // grid, text and curves, not a blank sheet
      List<String> lines = Files.readAllLines(Path.of(figure.get("csv").asText()));
      int columns = lines.get(0).split(",").length;
      assertThat(lines.size()).isGreaterThan(50);
      assertThat(lines).allMatch(line -> line.split(",", -1).length == columns);
      assertThat(page).contains("Figure " + figure.get("figure").asText() + ".");
      assertThat(page).contains("href=\"figure-" + figure.get("figure").asText() + ".csv\"");
    }
    assertThat(page.split("data:image/png;base64,")).hasSize(6);
    checkDecay(out.resolve("figure-1.csv"));
    checkDamping(out.resolve("figure-2.csv"));
    checkSchedules(out.resolve("figure-3c.csv"));
    checkTargets(out.resolve("figure-13.csv"));
  }

  private static long colours(BufferedImage image) {
    return IntStream.range(0, image.getWidth() * image.getHeight())
        .map(i -> image.getRGB(i % image.getWidth(), i / image.getWidth()))
        .distinct()
        .count();
  }

  private static List<double[]> rows(Path csv) throws IOException {
    return Files.readAllLines(csv).stream()
        .skip(1)
        .map(l -> Arrays.stream(l.split(",")).mapToDouble(Double::parseDouble).toArray())
        .toList();
  }

  /** Curvature, step, both risks, against the recursion itself: noise c = h, batch 1. */
  private static void checkDecay(Path csv) throws IOException {
    double constant = 0;
    double decayed = 0;
    for (double[] row : rows(csv)) {
      double h = row[0];
      constant = row[1] == 0 ? 1 : next(constant, h, 0.5);
      decayed = row[1] == 0 ? 1 : next(decayed, h, row[1] <= 200 ? 0.5 : 0.05);
      assertThat(row[2]).isCloseTo(h / 2 * constant, withinPercentage(1e-3));
      assertThat(row[3]).isCloseTo(h / 2 * decayed, withinPercentage(1e-3));
    }
  }

  private static double next(double variance, double h, double rate) {
    return (1 - rate * h) * (1 - rate * h) * variance + rate * rate * h;
  }

  /** 1 - beta, rates and steady risks of momentum and SGD. */
  private static void checkDamping(Path csv) throws IOException {
    List<double[]> rows = rows(csv);
    double[] first = rows.get(0);
    assertThat(first[0]).isCloseTo(1e-3, within(1e-12));
    assertThat(first[3] / first[4]).isCloseTo(0.75, within(0.005));
    double[] best = rows.stream().max((a, b) -> Double.compare(a[1], b[1])).orElseThrow();
    assertThat(best[0]).isCloseTo(0.0442, within(0.002));
    assertThat(best[3] / best[4]).isCloseTo(0.995, within(0.002));
  }

  /** Batch, steps per piece, piece, rate. */
  private static void checkSchedules(Path csv) throws IOException {
    List<double[]> rows = rows(csv);
    assertThat(rows).hasSize(9 * 50);
    double[] last = rows.get(49);
    assertThat(last[0]).isEqualTo(16);
    assertThat(Math.log(last[3]) / Math.log(2)).isCloseTo(-8.16, within(0.03));
  }

  /** Target, batch, steps. */
  private static void checkTargets(Path csv) throws IOException {
    double[] easiest = rows(csv).get(0);
    assertThat(easiest[0]).isEqualTo(0.1);
    assertThat(easiest[1]).isEqualTo(4);
    assertThat(easiest[2]).isCloseTo(Math.pow(2, 16.30), withinPercentage(2));
  }

  @Test
  void allFiguresNeedLittleMemory(@TempDir Path folder) throws Exception {
    Path log = folder.resolve("log");
    List<String> args = List.of("nqm", "figure", "all", "--out", folder.toString());
    Process process = Cli.start(List.of("-Xmx192m"), args, log);
    assertThat(process.waitFor()).as(Files.readString(log)).isZero();
    for (String figure : List.of("1", "2", "3a", "3b", "3c", "4", "11", "13", "14", "15")) {
      assertThat(folder.resolve("figure-" + figure + ".png")).isNotEmptyFile();
    }
  }

  @Test
  void aFolderThatCannotBeMadeIsBadInput(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    Cli.Outcome outcome = Cli.run("nqm", "figure", "2", "--out", file.resolve("x").toString());
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.err()).contains("--out");
  }
}
