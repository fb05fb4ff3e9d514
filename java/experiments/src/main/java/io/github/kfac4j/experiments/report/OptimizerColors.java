package io.github.kfac4j.experiments.report;

import io.github.kfac4j.experiments.options.OptimizerName;
import java.awt.Color;
import java.util.Map;

/** The same colour for an optimizer in every picture. */
public final class OptimizerColors {
  /** Distinguishable for colour-blind readers (Okabe and Ito). */
  private static final Map<OptimizerName, Color> COLORS =
      Map.of(
          OptimizerName.KFAC, new Color(0x0072B2),
          OptimizerName.EKFAC, new Color(0xCC79A7),
          OptimizerName.DIAGONAL, new Color(0xE69F00),
          OptimizerName.SGD, new Color(0xD55E00),
          OptimizerName.ADAM, new Color(0x009E73));

  private OptimizerColors() {}

  /** The colour of an optimizer. */
  public static Color of(OptimizerName optimizer) {
    return COLORS.get(optimizer);
  }
}
