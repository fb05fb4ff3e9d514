package io.github.kfac4j.benchmarks.cases;

import java.util.List;
import java.util.Map;

/** All layers of a network at a batch size. */
public record NetworkCase(
    String verb,
    String name,
    String set,
    String backend,
    Map<String, Double> targets,
    List<String> without,
    String network,
    int batch)
    implements Case {
  /** Damping of the whole update. */
  public static final double DAMPING = 0.03;

  /** The network's layers. */
  public List<LayerShape> layers() {
    return Cases.network(network);
  }
}
