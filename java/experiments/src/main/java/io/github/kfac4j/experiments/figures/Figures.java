package io.github.kfac4j.experiments.figures;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.kfac4j.experiments.plot.Panels;
import io.github.kfac4j.files.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** All figures of the model, and how they become files. */
public final class Figures {
  private static final List<Figure> ALL =
      List.of(
          new DecayFigure(),
          new DampingFigure(),
          SpeedupFigure.momentum(),
          new ScheduleSpeedupFigure(),
          new ScheduleShapeFigure(),
          SpeedupFigure.average(),
          new FirstTermFigure(),
          new TargetFigure(),
          new LearningRateFigure(),
          new FinalRateFigure());

  private Figures() {}

  /**
   * A figure on disk.
   *
   * @param figure its number in the paper
   * @param says its message in one sentence
   */
  public record Written(String figure, String title, String says, String csv, String png) {}

  /** Is told of the progress, from any thread. */
  public interface Progress {
    /** A part of the work of {@link #work} is done. */
    void step();

    /** The work on this figure begins. */
    void figure(String id);
  }

  /** The numbers of all figures. */
  public static List<String> ids() {
    return ALL.stream().map(Figure::id).toList();
  }

  /** How many parts of the work {@link #write} will report. */
  public static int work(List<String> ids) {
    return selected(ids).stream().mapToInt(f -> f.work() + 1).sum();
  }

  private static List<Figure> selected(List<String> ids) {
    return ALL.stream().filter(f -> ids.contains(f.id())).toList();
  }

  /**
   * Writes figure-ID.csv and figure-ID.png for each, and index.html with all of them.
   *
   * @param folder an existing folder
   */
  public static List<Written> write(List<String> ids, Path folder, Progress progress)
      throws IOException {
    Results results = new Results(progress::step);
    List<Written> written = new ArrayList<>();
    for (Figure figure : selected(ids)) {
      progress.figure(figure.id());
      Drawing drawing = figure.draw(results);
      Path csv = folder.resolve("figure-" + figure.id() + ".csv");
      Path png = folder.resolve("figure-" + figure.id() + ".png");
      String lines = String.join(System.lineSeparator(), drawing.table().lines());
      AtomicFile.write(csv, (lines + System.lineSeparator()).getBytes(UTF_8));
      AtomicFile.write(png, Panels.png(drawing.panels()));
      written.add(
          new Written(figure.id(), figure.title(), drawing.says(), csv.toString(), png.toString()));
      progress.step();
    }
    AtomicFile.write(folder.resolve("index.html"), Page.of(written).getBytes(UTF_8));
    return written;
  }
}
