package io.github.kfac4j.experiments.study.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Panel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A panel as the script of a page reads it. */
final class PanelJson {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private PanelJson() {}

  static String of(Panel panel) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("title", panel.title());
    root.put("x", axis(panel.x()));
    root.put("y", axis(panel.y()));
    root.put("curves", panel.curves().stream().map(PanelJson::curve).toList());
    try {
      return MAPPER.writeValueAsString(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Map<String, Object> axis(Panel.Axis axis) {
    return Map.of("label", axis.label(), "log", axis.logarithmic());
  }

  private static Map<String, Object> curve(Curve curve) {
    Map<String, Object> node = new LinkedHashMap<>();
    node.put("name", curve.name());
    node.put("color", "#%06x".formatted(curve.color().getRGB() & 0xffffff));
    node.put("dashed", curve.stroke() == Curve.Stroke.DASHED);
    node.put("markers", curve.markers());
    node.put("points", points(curve));
    return node;
  }

  private static List<double[]> points(Curve curve) {
    return IntStream.range(0, curve.x().length)
        .mapToObj(i -> new double[] {curve.x()[i], curve.y()[i]})
        .toList();
  }
}
