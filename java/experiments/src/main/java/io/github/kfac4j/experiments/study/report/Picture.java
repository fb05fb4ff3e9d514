package io.github.kfac4j.experiments.study.report;

import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.experiments.plot.Panels;
import java.util.List;

/**
 * A picture of a report.
 *
 * @param name of its file, without the ending
 * @param title what it shows
 * @param panels its curves, which the page draws anew; none of other pictures
 * @param png the file
 */
public record Picture(String name, String title, List<Panel> panels, byte[] png) {
  /** A picture of curves. */
  public static Picture of(String name, String title, List<Panel> panels) {
    return new Picture(name, title, panels, Panels.png(panels));
  }

  /** A picture without curves. */
  public static Picture of(String name, String title, byte[] png) {
    return new Picture(name, title, List.of(), png);
  }
}
