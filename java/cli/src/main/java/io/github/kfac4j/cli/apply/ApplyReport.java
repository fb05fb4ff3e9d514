package io.github.kfac4j.cli.apply;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.LayerReport.GroupReport;
import io.github.kfac4j.data.StepReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What was done, as the JSON document says it. */
record ApplyReport(
    String backend,
    double clip,
    @JsonProperty("inner_product") double innerProduct,
    List<OfLayer> layers) {

  /**
   * One layer. {@code pi}, {@code damping} and {@code status} are lists if there are several
   * groups; a number that the mode or convention does not have is null.
   */
  record OfLayer(
      String name,
      String type,
      int groups,
      PerFactor dims,
      Object pi,
      PerFactor damping,
      Object condition,
      double seconds,
      Object status) {}

  /** A value for each of the two factors. */
  record PerFactor(@JsonProperty("A") Object a, @JsonProperty("G") Object g) {}

  static ApplyReport of(
      String backend, ApplyConfig config, StepReport step, List<LayerReport> reports) {
    List<OfLayer> layers = new ArrayList<>();
    for (int i = 0; i < reports.size(); i++) {
      LayerReport report = reports.get(i);
      List<GroupReport> groups = report.perGroup();
      layers.add(
          new OfLayer(
              report.layer(),
              config.layers().get(i).type(),
              report.groups(),
              new PerFactor(report.inputDim(), report.outputDim()),
              perGroup(groups, g -> number(g.pi())),
              new PerFactor(
                  perGroup(groups, g -> number(g.dampingA())),
                  perGroup(groups, g -> number(g.dampingG()))),
              perGroup(groups, ApplyReport::condition),
              report.seconds(),
              perGroup(groups, GroupReport::status)));
    }
    return new ApplyReport(backend, step.clip(), step.innerProduct(), layers);
  }

  private static Object perGroup(List<GroupReport> groups, Function<GroupReport, Object> value) {
    List<Object> values = new ArrayList<>(); // may hold null
    groups.forEach(group -> values.add(value.apply(group)));
    return values.size() == 1 ? values.get(0) : values;
  }

  /** The condition of each matrix that was inverted, by name. */
  private static Map<String, Object> condition(GroupReport group) {
    Map<String, Object> conditions = new LinkedHashMap<>();
    group.factors().forEach(factor -> conditions.put(factor.name(), number(factor.condition())));
    return conditions;
  }

  private static Object number(double value) {
    return Double.isNaN(value) ? null : value;
  }
}
