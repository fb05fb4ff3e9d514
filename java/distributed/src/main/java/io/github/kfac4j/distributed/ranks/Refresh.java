package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.distributed.exchange.Agreement;
import io.github.kfac4j.distributed.exchange.FirstFailure;
import io.github.kfac4j.distributed.exchange.Frames;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The refresh of inverses by their owners, on which all ranks agree. */
public final class Refresh {
  private Refresh() {}

  /**
   * Refreshes what this rank owns; called by all ranks.
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
    for (byte[] one : agreement.agree(failure.take(), message)) {
      Frames.read(one, Reports::read).forEach(report -> reports.put(report.layer(), report));
    }
    return shared.layers().keySet().stream().map(reports::get).toList();
  }
}
