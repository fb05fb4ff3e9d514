package io.github.kfac4j.distributed.sharing;

import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.distributed.collectives.Agreement;
import io.github.kfac4j.distributed.collectives.FirstFailure;
import io.github.kfac4j.distributed.collectives.Frames;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The renewal of inverses by their owners, as one decision of all ranks. */
public final class Refresh {
  private Refresh() {}

  /**
   * Renews what this rank owns; called by all.
   *
   * @param failure of this rank so far
   * @return reports of all layers, in their order
   */
  public static List<LayerReport> of(
      SharedLayers shared, RankLayers mine, FirstFailure failure, Agreement agreement) {
    Map<String, LayerReport> reports = new LinkedHashMap<>();
    if (failure.none()) {
      failure.keep(() -> mine.refresh().forEach(report -> reports.put(report.layer(), report)));
    }
    List<LayerReport> own = List.copyOf(reports.values());
    byte[] message = Frames.bytes(out -> Reports.write(own, out));
    for (byte[] one : agreement.settle(failure.take(), message)) {
      Frames.read(one, Reports::read).forEach(report -> reports.put(report.layer(), report));
    }
    return shared.layers().keySet().stream().map(reports::get).toList();
  }
}
